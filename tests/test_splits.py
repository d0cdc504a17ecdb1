"""Over several splits: components with a known truth, an interval that covers, and files that hold all."""

import numpy as np
import pytest
from scipy.stats import t as student

from tests.helpers.split_runs import draw
from versus.artifacts import splits as files
from versus.artifacts.splits import SplitPredictions
from versus.evaluation.splits import compare_splits, components, estimate, probability_better, variance_component
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=100, seed=0)


def test_variance_components_are_those_that_were_drawn():
    rng, total = np.random.default_rng(0), dict.fromkeys(((0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)), 0.0)
    deviations = {(0,): 1.0, (1,): 0.5, (2,): 2.0, (0, 2): 1.5, (1, 2): 0.0, (0, 1, 2): 1.0}
    for _ in range(200):
        values = sum(deviation * rng.normal(size=[size if axis in axes else 1 for axis, size in enumerate((3, 4, 30))])
                     for axes, deviation in deviations.items())
        for axes in total:
            total[axes] += variance_component(values, axes) / 200
    for axes, deviation in deviations.items():
        assert abs(total[axes] - deviation**2) < 0.15, axes


def test_one_level_tells_nothing_about_others_and_hides_nothing():
    values = np.random.default_rng(0).normal(size=(3, 1, 20))
    assert variance_component(values, (1,)) == variance_component(values, (1, 2)) == 0.0
    assert variance_component(values, (0,)) == pytest.approx(variance_component(values[:, 0], (0,)))


# what varies a single run: each standard deviation alone, and its name
EFFECTS = [({"training": 0.15}, "training"), ({"views": 0.15}, "views"), ({"seed": 0.15}, "seed")]


@pytest.mark.parametrize("effect, name", EFFECTS)
def test_each_source_is_told_from_the_others(effect, name):
    rng = np.random.default_rng(1)
    rows, bases = [], []
    for _ in range(60):
        runs = draw(rng, **effect)
        rows.append(components(*runs[:4]))
        bases.append(components(*draw(rng)[:4]))
    mean, base = ({key: np.mean([row[key] for row in each]) for key in rows[0]} for each in (rows, bases))
    (deviation,) = effect.values()
    expected = (deviation * runs.slope) ** 2 * (2 if name == "seed" else 1)  # both competitors have seeds
    assert 0.6 * expected < mean[name] - base[name] < 1.5 * expected
    for other in set(mean) - {name}:
        assert abs(mean[other] - base[other]) < 0.35 * expected, other


def test_the_interval_covers_where_that_of_the_images_alone_does_not():
    """At length in benchmark/statistics: training sets of other images matter, and few folds show it."""
    rng, covered, of_images = np.random.default_rng(2), 0, 0
    for _ in range(100):
        runs = draw(rng, training=0.15, seed=0.1)
        difference = estimate(*runs[:4], SETTINGS)
        low, high = difference.interval()
        covered += low <= runs.truth <= high
        units = runs.differences.mean(axis=(0, 1))
        half = student.ppf(0.975, len(units) - 1) * units.std(ddof=1) / np.sqrt(len(units))
        of_images += abs(units.mean() - runs.truth) <= half
        assert difference.mean == pytest.approx(units.mean())
    assert covered >= 91 and of_images <= 85


def test_images_of_one_unit_count_once():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(100):
        runs = draw(rng, members=5)
        low, high = estimate(*runs[:4], SETTINGS).interval()
        covered += low <= runs.truth <= high
    assert covered >= 91


def test_the_probability_counts_runs_and_ties_half():
    folds = np.arange(20) % 4
    differences = np.zeros((1, 2, 20))
    assert probability_better(differences, folds)[0] == 0.5
    differences[:, 0, folds < 2] = 1.0
    differences[:, 1, folds == 3] = -1.0
    share, low, high = probability_better(differences, folds)
    assert share == (2 + 5 * 0.5) / 8 and 0 < low < share < high < 1


def predictions(seeds=2, seed=0, right=0.9):
    rng = np.random.default_rng(seed)
    labels, folds = np.arange(60) % 2, np.arange(60) // 2 % 3
    shapes = ((3, seeds, 60), (2, seeds, 60))
    predicted, without_second = ((labels ^ (rng.random(shape) > right)).astype(np.int16) for shape in shapes)
    names = tuple(f"train/a/{number}" for number in range(60))
    return SplitPredictions(names, ("a", "b"), labels, np.arange(60), folds, predicted, without_second)


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_comparison_has_finite_scalars(seeds):
    one, other = predictions(seeds, 0), predictions(seeds, 1, right=0.6)
    result = compare_splits(one, other, SETTINGS)
    assert all(isinstance(value, (int, float)) and np.isfinite(value) for value in result.values())
    assert (result["splits"], result["view_sets"], result["seeds"], result["images"]) == (3, 3, seeds, 60)
    assert result["training_images"] == 40
    assert result["accuracy_difference"] == pytest.approx(result["accuracy_other"] - result["accuracy_one"])
    assert result["accuracy_high"] < 0 and result["p_value"] < 0.05 and result["probability_other_better"] == 0
    parts = [result[f"sd_{name}"] ** 2 for name in ("images", "training", "views", "seed")]
    assert sum(parts) == pytest.approx(result["sd_single_run"] ** 2)
    swapped = compare_splits(other, one, SETTINGS)
    assert swapped["accuracy_low"] == pytest.approx(-result["accuracy_high"], abs=0.01)


def test_equal_predictions_differ_by_at_most_what_so_many_images_can_hide():
    result = compare_splits(predictions(), predictions(), SETTINGS)
    assert result["accuracy_difference"] == 0 and result["probability_other_better"] == 0.5
    assert 0.03 < result["accuracy_high"] == -result["accuracy_low"] < 0.08


def test_files_hold_what_was_saved(tmp_path):
    written = predictions()
    files.save(written, tmp_path / "splits/keras.safetensors")
    read = files.read(tmp_path / "splits/keras.safetensors")
    for name, value in vars(written).items():
        np.testing.assert_array_equal(getattr(read, name), value)
    files.save(None, tmp_path / "none.safetensors")
    assert files.read(tmp_path / "none.safetensors") is None
