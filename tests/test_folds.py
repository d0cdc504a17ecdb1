"""Folds: every image in one, the same share of each class, and what belongs together in one fold."""

import numpy as np
import pandas as pd
import pytest

from tests.helpers.cases import lay
from versus.images import folds
from versus.images.folds import FoldsError, divide

CLASSES = ["a", "b"]


def test_each_fold_has_its_share_of_each_class_and_whole_units():
    labels = np.repeat([0, 1], [60, 30])
    units = np.concatenate([np.arange(60) // 3, 20 + np.arange(30) // 2])
    drawn = [divide(labels, units, CLASSES, 5, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(*drawn[:2])
    assert (drawn[1] != drawn[2]).any()
    for of_images in drawn:
        assert np.bincount(of_images[labels == 0]).tolist() == [12] * 5
        assert np.bincount(of_images[labels == 1]).tolist() == [6] * 5
        assert len(set(zip(units, of_images))) == 35  # one fold for each unit


def test_a_class_that_cannot_be_in_all_folds_is_named():
    labels = np.repeat([0, 1], [10, 4])
    with pytest.raises(FoldsError, match="compare.splits: got 5, but .* images of 'b' .4. have fewer that are indep"):
        divide(labels, np.arange(14), CLASSES, 5, 0)
    with pytest.raises(FoldsError, match="'a' .1., 'b' .4. have"):
        divide(labels, np.where(labels, np.arange(14), 0), CLASSES, 5, 0)
    assert set(divide(labels, np.arange(14), CLASSES, 4, 0)) == {0, 1, 2, 3}


def test_groups_too_large_for_all_folds_to_have_each_class_are_refused():
    sizes = [(1, 5), (4, 0), (0, 3), (6, 3)]  # images of a and of b in each group
    labels = np.concatenate([[0] * of_a + [1] * of_b for of_a, of_b in sizes]).astype(int)
    units = np.repeat(np.arange(4), [sum(size) for size in sizes])
    with pytest.raises(FoldsError, match="compare.splits: got 3, but the images of 'b' belong together in too large"):
        divide(labels, units, CLASSES, 3, 0)


def test_training_and_validation_images_are_divided_anew_and_the_test_stays_out(tmp_path):
    lay(tmp_path / "split/train", "a", "b", count=6)
    lay(tmp_path / "split/validation", "a", "b", count=3)
    lay(tmp_path / "split/test", "a", "b", count=3)
    paths = sorted(path.relative_to(tmp_path / "split").as_posix() for path in (tmp_path / "split").rglob("*.*"))
    together = {path for path in paths if path.startswith(("train/a", "validation/a"))}
    table = pd.DataFrame({"file": paths, "class": "", "part": "", "path": paths, "reason": "",
                          "group": ["one" if path in sorted(together)[5:7] else "" for path in paths]})
    table.to_csv(tmp_path / "split.csv", index=False)
    pool = folds.read(tmp_path / "split", tmp_path / "split.csv", 3, 0)
    assert sorted(pool.names) == [path for path in paths if not path.startswith("test/")]
    assert [file.relative_to(tmp_path / "split").as_posix() for file in pool.files] == pool.names
    assert [CLASSES[label] for label in pool.labels] == [name.split("/")[1] for name in pool.names]
    assert pool.splits == 3 and len(np.unique(pool.units)) == 17
    pair = [number for number, name in enumerate(pool.names) if name in sorted(together)[5:7]]
    assert len({pool.folds[number] for number in pair}) == 1 and pool.names[pair[0]][:5] != pool.names[pair[1]][:5]
    assert sorted(np.concatenate([pool.members(fold) for fold in range(3)])) == list(range(18))
