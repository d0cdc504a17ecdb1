"""Units by file name join near-duplicates, and reach the predictions."""

import numpy as np
import pandas as pd
import pytest

from versus.images import joining, units
from versus.images.duplicates import Duplicates
from versus.images.splitting import SplitError, counts, split
from versus.params import Split

FILES = pd.Series(["a/p1_1.png", "a/p1_2.png", "a/p2_1.png", "a/scan.png", "b/p1_3.png", "b/p3_1.png", "b/p3_2.png"])
ALL = np.ones(len(FILES), bool)
ALONE = np.arange(len(FILES))


def settings(**changes):
    return Split(**{"published": True, "validation": 0.2, "test": 0.0, "leaks": "remove", "seed": 0} | changes)


def table_of(files, usable=True, group=""):
    """A table as data/raw.csv, with what `joining.join` reads of it."""
    return pd.DataFrame({"file": files, "problem": np.where(usable, "", "empty file"), "group": group})


def join(pattern, groups=ALONE, usable=ALL, group=""):
    return joining.join(groups, table_of(FILES, usable, group), pattern).tolist()


def test_files_with_the_same_name_in_them_are_one_unit_across_classes():
    assert join(r"p(\d+)_") == [0, 0, 2, 3, 0, 5, 5]
    assert join(r"/p\d+_") == join(r"(p\d+)_\d") == join(r"p(\d+)_")  # the whole match, where it has no group


def test_no_pattern_joins_nothing():
    assert join("") == ALONE.tolist()


def test_near_duplicates_and_names_are_chained():
    groups = np.array([0, 1, 2, 2, 4, 5, 6])  # the scan is a copy of an image of p2
    assert join(r"p(\d+)_", groups) == [0, 0, 2, 2, 0, 5, 5]
    groups = np.array([0, 1, 2, 3, 4, 2, 6])  # an image of p3 is a copy of one of p2
    assert join(r"p(\d+)_", groups) == [0, 0, 2, 3, 0, 2, 2]


def test_what_the_table_of_labels_says_joins_images_too():
    column = ["x", "", "x", "", "", "y", "z"]
    assert join("", group=column) == [0, 1, 0, 3, 4, 5, 6]
    assert join("", np.array([0, 1, 2, 3, 4, 1, 6]), group=column) == [0, 1, 0, 3, 4, 1, 6]
    assert join(r"p(\d+)_", group=column) == [0, 0, 0, 3, 0, 5, 5]  # chained with the pattern's
    assert join("", group=column, usable=FILES != "a/p2_1.png") == ALONE.tolist()


def test_files_that_cannot_be_used_are_in_no_group():
    usable = FILES != "a/p1_2.png"
    assert join(r"p(\d+)_", usable=usable) == [0, 1, 2, 3, 0, 5, 5]


def test_what_is_not_found_or_an_optional_group_that_is_empty_is_no_name():
    assert join(r"(?:p(\d+)|scan)") == [0, 0, 2, 3, 0, 5, 5]


@pytest.mark.parametrize("pattern, got", [("patient", "0 names"), (r"p(1)_", "1 names"), (r"\.png", "'.png' in all 7")])
def test_a_pattern_that_tells_no_two_apart_is_refused(pattern, got):
    with pytest.raises(SplitError, match=f"finds {got}.*expected a regular expression that finds the name"):
        join(pattern)


def test_a_patient_is_never_in_two_parts():
    files = [f"{name}/patient{patient:02}_{k}.png" for name in "ab" for patient in range(12) for k in range(4)]
    raw = pd.DataFrame({"file": files, "class": [file[0] for file in files], "published": "",
                        "sha256": files, "problem": "", "format": "PNG", "conversion": "", "group": ""})
    groups = joining.join(np.arange(len(raw)), raw, r"patient(\d+)")
    for seed in range(10):
        table = split(raw, Duplicates(groups, np.arange(len(raw))), settings(validation=0.25, seed=seed))
        patients = table.file.str.extract(r"(patient\d+)")[0]
        assert (table.groupby(patients).part.nunique() == 1).all() and (table.part == "validation").sum() == 24


def test_a_patient_of_both_published_parts_is_taken_out_of_training():
    files = [f"{part}/{name}/p{patient}.png" for part, patients in (("train", "123"), ("validation", "34"))
             for name in "ab" for patient in patients]
    raw = pd.DataFrame({"file": files, "class": [file.split("/")[1] for file in files],
                        "published": [file.split("/")[0] for file in files], "sha256": files, "problem": "",
                        "format": "PNG", "conversion": "", "group": ""})
    groups = joining.join(np.arange(len(raw)), raw, r"(p\d)\.")
    table = split(raw, Duplicates(groups, np.arange(len(raw))), settings()).set_index("file")
    assert table.loc["train/a/p3.png"].reason == "same group as validation/a/p3.png in validation"
    assert counts(table.reset_index(), raw)["leaks_removed"] == 2


def test_units_are_read_from_the_table_of_the_split(tmp_path):
    rows = [("raw/1", "validation", "validation/a/1.png", "raw/1"), ("raw/2", "validation", "validation/a/2.png", ""),
            ("raw/3", "validation", "validation/b/1.png", "raw/1"), ("raw/4", "train", "train/a/1.png", "raw/4"),
            ("raw/5", "validation", "validation/b/NA.png", "")]
    table = pd.DataFrame(rows, columns=["file", "part", "path", "group"])
    table["class"] = [path.split("/")[1] for path in table.path]
    table.to_csv(tmp_path / "split.csv", index=False)
    names = ["a/1.png", "a/2.png", "b/1.png", "b/NA.png"]
    assert units.read(tmp_path / "split.csv", "validation", names).tolist() == [0, 1, 0, 2]
