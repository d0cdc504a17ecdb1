"""Scores against hand-made cases, scikit-learn and the real stages on files of predictions."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from versus.evaluation import scores

ROOT = Path(__file__).parents[1]
NAMES = ("alien", "predator", "robot")


def drawn(seeds, images, classes, skill=1.5, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    logits = rng.normal(size=(seeds, images, classes))
    logits[:, np.arange(images), labels] += skill
    values = np.exp(logits)
    return values / values.sum(axis=2, keepdims=True), labels


def as_rows(probabilities, labels, names):
    files = [f"{names[label]}/{image:03}.jpg" for image, label in enumerate(labels)]
    parts = [pd.DataFrame({"seed": seed, "file": files, "class": [names[label] for label in labels]}
                          | {f"p_{name}": of_seed[:, k] for k, name in enumerate(names)})
             for seed, of_seed in enumerate(probabilities)]
    return pd.concat(parts).sort_values(["seed", "file"])


def test_summary_of_two_classes_by_hand():
    labels = np.array([0, 0, 1, 1])
    first = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
    second = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    found = scores.summary(np.array([first, second]), labels, ("a", "b"))
    assert found["accuracy"] == pytest.approx(0.875) and found["accuracy_sd"] == pytest.approx(np.sqrt(0.03125))
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.9, 0.7, 0.7, 0.8, 0.8, 0.4, 0.6]).mean())
    assert found["brier"] == pytest.approx(np.square([0.1, 0.1, 0.3, 0.3, 0.2, 0.2, 0.6, 0.4]).mean())
    assert found["roc_auc"] == 1.0
    assert found["recall_a"] == pytest.approx(0.75) and found["recall_b"] == 1.0
    assert found["precision_a"] == 1.0 and found["precision_b"] == pytest.approx((2 / 3 + 1) / 2)
    assert (found["images"], found["seeds"]) == (4, 2)
    assert list(found)[:7] == ["accuracy", "accuracy_sd", "log_loss", "log_loss_sd", "brier", "roc_auc", "ece"]


def test_summary_of_more_classes():
    values, labels = drawn(1, 90, 3)
    found = scores.summary(values, labels, NAMES)
    areas = [metrics.roc_auc_score(labels == k, values[0, :, k]) for k in range(3)]
    assert found["roc_auc"] == pytest.approx(np.mean(areas))
    assert found["brier"] == pytest.approx(np.square(values[0] - np.eye(3)[labels]).sum(axis=1).mean())
    assert found["accuracy_sd"] == found["log_loss_sd"] == 0.0
    assert json.dumps(found) and all(np.isfinite(value) for value in found.values())


def test_a_class_never_predicted_has_precision_zero():
    values = np.tile([0.8, 0.2], (1, 4, 1))
    assert scores.summary(values, np.array([0, 1, 0, 1]), ("a", "b"))["precision_b"] == 0.0


def test_calibration_error_is_small_for_calibrated_predictions_and_known_otherwise():
    rng = np.random.default_rng(0)
    chance = rng.uniform(size=200_000)
    values = np.stack([1 - chance, chance], axis=1)
    assert scores.calibration_error(values, (rng.uniform(size=len(chance)) < chance).astype(int)) < 0.01
    assert scores.calibration_error(values, np.zeros(len(chance), int)) == pytest.approx(0.25, abs=0.005)


def test_calibration_error_is_the_sum_over_bins():
    values, labels = drawn(1, 300, 3)
    confidence, right = values[0].max(axis=1), values[0].argmax(axis=1) == labels
    expected = 0.0
    for k in range(15):
        inside = (confidence > k / 15) & (confidence <= (k + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert scores.calibration_error(values[0], labels) == pytest.approx(expected)


def test_reliability_pools_the_seeds():
    values, labels = drawn(3, 100, 2)
    rows = scores.reliability(values, labels)
    assert rows["images"].sum() == 300 and len(rows) <= 8  # two classes: no confidence below 1/2
    assert (rows["images"] * rows["accuracy"]).sum() == pytest.approx((values.argmax(axis=2) == labels).sum())
    assert rows["confidence"].is_monotonic_increasing


@pytest.mark.parametrize("classes", [2, 3])
def test_roc_curve_is_thin_and_keeps_its_area(classes):
    values, labels = drawn(10, 600, classes)
    rows = scores.roc_curve(values, labels)
    truth = np.tile(np.eye(classes, dtype=int)[labels], (10, 1))
    flat = values.reshape(-1, classes)
    expected = (metrics.roc_auc_score(truth[:, 1], flat[:, 1]) if classes == 2
                else metrics.roc_auc_score(truth.ravel(), flat.ravel()))
    assert len(rows) == 200
    assert rows.iloc[0].tolist() == [0, 0] and rows.iloc[-1].tolist() == [1, 1]
    assert metrics.auc(rows["false_positive_rate"], rows["true_positive_rate"]) == pytest.approx(expected, abs=2e-3)


def test_confusion_is_of_the_first_seed():
    values, labels = drawn(2, 60, 3)
    rows = scores.confusion(values, labels, NAMES)
    counts = pd.crosstab(rows["actual"], rows["predicted"]).to_numpy()
    assert np.array_equal(counts, metrics.confusion_matrix(labels, values[0].argmax(axis=1)))


def test_read_predictions_gives_back_what_was_written(tmp_path):
    values, labels = drawn(3, 30, 3)
    names = ("NA", "None", "p_x")  # names that pandas or the prefix could swallow
    as_rows(values, labels, names).sample(frac=1, random_state=0).to_csv(tmp_path / "p.csv", index=False)
    found = scores.read_predictions(tmp_path / "p.csv")
    assert found.seeds == (0, 1, 2) and found.class_names == names and list(found.files) == sorted(found.files)
    order = np.argsort([f"{names[label]}/{image:03}.jpg" for image, label in enumerate(labels)])
    assert np.array_equal(found.labels, labels[order])
    np.testing.assert_allclose(found.probabilities, values[:, order], rtol=1e-14)


def test_single_precision_sums_are_repaired_without_a_warning(tmp_path, recwarn):
    values, labels = drawn(2, 30, 2)
    as_rows(values.astype(np.float32), labels, NAMES[:2]).to_csv(tmp_path / "p.csv", index=False)
    found = scores.read_predictions(tmp_path / "p.csv")
    np.testing.assert_allclose(found.probabilities.sum(axis=2), 1, rtol=1e-15)
    scores.summary(found.probabilities, found.labels, found.class_names)
    assert not recwarn.list


@pytest.mark.parametrize("spoil, message", [
    (lambda rows: rows.drop(columns="file"), r"no column \['file'\]"),
    (lambda rows: rows.drop(columns="p_predator"), "two columns"),
    (lambda rows: rows.iloc[:0], "0 rows"),
    (lambda rows: rows.iloc[:-1], "different files"),
    (lambda rows: pd.concat([rows, rows.iloc[:1]]), "a file twice"),
    (lambda rows: rows.replace({"class": {"alien": "aline"}}), "'aline' without a column"),
    (lambda rows: rows[rows["class"] == "alien"], "no image of class 'predator'"),
    (lambda rows: rows.assign(p_alien=rows["p_alien"] + 0.1), "sum to 1"),
    (lambda rows: rows.assign(p_alien=np.nan), "sum to 1"),
    (lambda rows: rows.assign(p_alien="high"), "sum to 1"),
])
def test_unusable_predictions_are_refused(tmp_path, spoil, message):
    values, labels = drawn(2, 10, 2)
    spoil(as_rows(values, labels, NAMES[:2])).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(scores.PredictionsError, match=message):
        scores.read_predictions(tmp_path / "p.csv")


def test_missing_and_empty_files_are_refused(tmp_path):
    (tmp_path / "empty.csv").touch()
    for name in ("none.csv", "empty.csv"):
        with pytest.raises(scores.PredictionsError, match="dvc repro"):
            scores.read_predictions(tmp_path / name)


def test_pairs_must_match(tmp_path):
    values, labels = drawn(2, 10, 2)
    found = []
    for index, (part, names) in enumerate([(values, NAMES[:2]), (values[:1], NAMES[:2]), (values, NAMES[1:])]):
        as_rows(part, labels, names).to_csv(tmp_path / f"{index}.csv", index=False)
        found.append(scores.read_predictions(tmp_path / f"{index}.csv"))
    scores.check_pair(found[0], found[0])
    with pytest.raises(scores.PredictionsError, match=r"different seeds: \[1\]"):
        scores.check_pair(found[0], found[1])
    with pytest.raises(scores.PredictionsError, match="different files"):
        scores.check_pair(found[0], found[2])


def run_stage(name, folder):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", f"stages.{name}"], cwd=folder, env=environment, text=True,
                          capture_output=True)


@pytest.mark.parametrize("classes, seeds", [(2, 3), (3, 1)])
def test_stages_evaluate_and_compare(tmp_path, classes, seeds):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "data/predictions").mkdir(parents=True)
    for framework, skill in (("keras", 1.0), ("torch", 3.0)):
        values, labels = drawn(seeds, 90, classes, skill, seed=int(skill))
        as_rows(values, labels, NAMES[:classes]).to_csv(tmp_path / f"data/predictions/{framework}.csv", index=False)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/parity.json").write_text('{"conventions": "different"}')
    written = []
    for _ in range(2):
        for name in ("evaluate", "compare"):
            done = run_stage(name, tmp_path)
            assert done.returncode == 0, done.stderr
        written.append({path: path.read_bytes() for path in sorted(tmp_path.rglob("metrics/**/*")) if path.is_file()})
    assert written[0] == written[1] and len(written[0]) == 12  # with parity.json
    assert json.loads((tmp_path / "metrics/compare.json").read_text())["verdict"] == "torch better"
    assert max(map(len, done.stdout.split("Verdict")[0].splitlines())) <= 80 and "torch better" in done.stdout
    for name, columns in (("confusion", ["actual", "predicted"]), ("reliability", ["confidence", "accuracy", "images"]),
                          ("roc", ["false_positive_rate", "true_positive_rate"])):
        assert list(pd.read_csv(tmp_path / f"metrics/plots/{name}_torch.csv")) == columns


def test_a_stage_without_predictions_ends_with_one_message(tmp_path):
    done = run_stage("evaluate", tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "data/predictions/keras.csv" in done.stderr
