"""Scores against hand-made cases, scikit-learn and the real stages on files of predictions."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from tests.helpers.paths import ROOT
from tests.helpers.predictions import draw_predictions, predictions_of, rows_of
from tests.helpers.results import info
from tests.helpers.stages import run_stage
from versus.artifacts import heads, model_info
from versus.artifacts.heads import Trained
from versus.artifacts.metrics import read
from versus.evaluation import scores
from versus.evaluation.cells import roc_auc
from versus.frameworks.history import score_epoch
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=200, seed=0)


def summarise(predictions):
    return scores.summary(predictions, SETTINGS)


def test_summary_of_two_classes_by_hand():
    labels = np.array([0, 0, 1, 1])
    first = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
    second = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    summary = summarise(predictions_of(np.array([first, second]), labels, ("a", "b")))
    assert summary["accuracy"] == pytest.approx(0.875) and summary["accuracy_sd"] == pytest.approx(np.sqrt(0.03125))
    assert summary["log_loss"] == pytest.approx(-np.log([0.9, 0.9, 0.7, 0.7, 0.8, 0.8, 0.4, 0.6]).mean())
    assert summary["brier"] == pytest.approx(np.square([0.1, 0.1, 0.3, 0.3, 0.2, 0.2, 0.6, 0.4]).mean())
    assert summary["roc_auc"] == 1.0
    assert summary["recall_a"] == pytest.approx(0.75) and summary["recall_b"] == 1.0
    assert summary["precision_a"] == 1.0 and summary["precision_b"] == pytest.approx((2 / 3 + 1) / 2)
    assert (summary["images"], summary["seeds"]) == (4, 2)
    assert list(summary)[:9] == ["accuracy", "accuracy_sd", "balanced_accuracy", "macro_f1", "log_loss", "log_loss_sd",
                                 "brier", "roc_auc", "ece"]
    assert summary["overconfidence"] == pytest.approx(np.mean([0.9, 0.6, 0.7, 0.8, 0.9, 0.6, 0.7, 0.8]) - 0.875)


def test_summary_of_more_classes():
    predictions = draw_predictions(1, 90, 3)
    summary, values, labels = summarise(predictions), predictions.probabilities[0], predictions.labels
    areas = [metrics.roc_auc_score(labels == k, values[:, k]) for k in range(3)]
    assert summary["roc_auc"] == pytest.approx(np.mean(areas))
    assert summary["roc_auc"] == pytest.approx(metrics.roc_auc_score(labels, values, multi_class="ovr"))
    assert summary["brier"] == pytest.approx(np.square(values - np.eye(3)[labels]).sum(axis=1).mean())
    assert summary["accuracy_sd"] == summary["log_loss_sd"] == 0.0
    assert json.dumps(summary) and all(np.isfinite(value) for value in summary.values())


def test_balance_is_that_of_scikit_learn():
    predictions = draw_predictions(1, 90, 3)
    some = np.flatnonzero((predictions.labels != 1) | (np.arange(90) % 5 == 0))
    values, labels = predictions.probabilities[:, some], predictions.labels[some]
    summary, predicted = summarise(predictions_of(values, labels)), values[0].argmax(axis=1)
    assert summary["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
    assert summary["macro_f1"] == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    assert summary["majority"] == pytest.approx(np.bincount(labels).max() / len(labels)) and summary["classes"] == 3


def test_naming_the_majority_has_a_balanced_accuracy_of_chance():
    labels = np.repeat([0, 1], [95, 5])
    summary = summarise(predictions_of(np.tile([0.9, 0.1], (2, 100, 1)), labels))
    assert summary["accuracy"] == summary["majority"] == 0.95 and summary["balanced_accuracy"] == 0.5


def test_a_class_never_predicted_has_precision_zero():
    values = np.tile([0.8, 0.2], (1, 4, 1))
    assert summarise(predictions_of(values, np.array([0, 1, 0, 1])))["precision_predator"] == 0.0


def test_a_class_without_images_counts_neither_in_roc_auc_nor_in_recall(recwarn):
    predictions = draw_predictions(2, 60, 3)
    some = predictions.labels != 1
    values, labels = predictions.probabilities[:, some], predictions.labels[some]
    summary = summarise(predictions_of(values, labels))
    areas = [metrics.roc_auc_score(labels == k, of_seed[:, k]) for of_seed in values for k in (0, 2)]
    assert summary["roc_auc"] == pytest.approx(np.mean(areas))
    assert "recall_predator" not in summary and {"recall_alien", "recall_robot", "precision_predator"} <= set(summary)
    assert all(np.isfinite(value) for value in summary.values()) and not recwarn.list


@pytest.mark.parametrize("classes", [2, 3])
def test_images_of_one_class_have_no_roc_auc(classes, recwarn):
    predictions = draw_predictions(2, 60, classes)
    some = predictions.labels == 1
    of_one_class = predictions_of(predictions.probabilities[:, some], predictions.labels[some])
    summary = summarise(of_one_class)
    assert "roc_auc" not in summary and roc_auc(of_one_class) is None
    assert all(np.isfinite(value) for value in summary.values()) and not recwarn.list
    assert not recwarn.list


@pytest.mark.parametrize("classes", [2, 3])
def test_certain_predictions_that_are_right_have_the_best_scores(classes, recwarn):
    labels = np.arange(30) % classes
    summary = summarise(predictions_of(np.eye(classes)[labels][None], labels))
    assert summary["accuracy"] == summary["roc_auc"] == 1.0
    assert summary["log_loss"] == pytest.approx(0, abs=1e-12) and summary["brier"] == summary["ece"] == 0.0
    assert not recwarn.list


def test_certain_predictions_that_are_wrong_have_a_finite_log_loss(recwarn):
    labels = np.arange(30) % 2
    summary = summarise(predictions_of(np.eye(2)[1 - labels][None], labels))
    assert 36 < summary["log_loss"] < 37 and summary["accuracy"] == summary["roc_auc"] == 0.0
    assert summary["brier"] == summary["ece"] == 1.0 and not recwarn.list


def error_of(values, labels):
    """The calibration error of (images, classes) probabilities."""
    return scores.calibration_error(values.max(axis=1), values.argmax(axis=1) == labels)


def test_calibration_error_is_small_for_calibrated_predictions_and_known_otherwise():
    rng = np.random.default_rng(0)
    chance = rng.uniform(size=200_000)
    values = np.stack([1 - chance, chance], axis=1)
    assert error_of(values, (rng.uniform(size=len(chance)) < chance).astype(int)) < 0.01
    assert error_of(values, np.zeros(len(chance), int)) == pytest.approx(0.25, abs=0.005)


def test_calibration_error_is_the_sum_over_bins():
    predictions = draw_predictions(1, 300, 3)
    values, labels = predictions.probabilities[0], predictions.labels
    confidence, right = values.max(axis=1), values.argmax(axis=1) == labels
    expected = 0.0
    for k in range(15):
        inside = (confidence > k / 15) & (confidence <= (k + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert error_of(values, labels) == pytest.approx(expected)


def calibrated(seeds, images, rng):
    """Draw predictions whose confidence is the probability that they are right."""
    confidence = rng.uniform(0.5, 1, images)
    labels = (rng.uniform(size=images) < confidence).astype(int)
    values = np.tile(np.stack([1 - confidence, confidence], axis=-1), (seeds, 1, 1))
    return predictions_of(values, labels)


def test_the_calibration_error_of_calibrated_predictions_is_that_by_chance_and_their_overconfidence_none():
    """At 200 images the calibration error is mostly bias: 0.04 where 0 is true."""
    rng = np.random.default_rng(5)
    summaries = [summarise(calibrated(1, 200, rng)) for _ in range(150)]
    errors, by_chance = (np.mean([summary[name] for summary in summaries]) for name in ("ece", "ece_by_chance"))
    assert errors > 0.04 and by_chance == pytest.approx(errors, abs=0.004)
    covered = [summary["overconfidence_low"] <= 0 <= summary["overconfidence_high"] for summary in summaries]
    assert np.mean(covered) > 0.95 - 2 * np.sqrt(0.05 * 0.95 / 150)
    assert abs(np.mean([summary["overconfidence"] for summary in summaries])) < 0.01


def test_copies_make_the_calibration_error_by_chance_larger():
    one = calibrated(1, 100, np.random.default_rng(6))
    copies = replace(one, files=one.files * 4, labels=np.tile(one.labels, 4), units=np.tile(np.arange(100), 4),
                     probabilities=np.tile(one.probabilities, (1, 4, 1)))
    chances = [scores.calibration_error_by_chance(each, 0)
               for each in (one, copies, replace(copies, units=np.arange(400)))]
    assert chances[0] == pytest.approx(chances[1], rel=0.1) and chances[2] < 0.7 * chances[0]


def test_reliability_pools_the_seeds():
    predictions = draw_predictions(3, 100, 2)
    values, labels = predictions.probabilities, predictions.labels
    rows = scores.reliability(values.max(axis=2), values.argmax(axis=2) == labels)
    assert rows["images"].sum() == 300 and len(rows) <= 8  # two classes: no confidence below 1/2
    assert (rows["images"] * rows["accuracy"]).sum() == pytest.approx((values.argmax(axis=2) == labels).sum())
    assert rows["confidence"].is_monotonic_increasing


def test_scores_have_the_names_of_the_classes():
    predictions = draw_predictions(1, 30, 3, names=("ö, ä", "p_x", "0"))
    assert {"recall_ö, ä", "recall_p_x", "precision_0"} <= set(summarise(predictions))


def write_record(predictions, path, epochs=3):
    """Write what a training of `epochs` epochs with these last predictions could have recorded."""
    losses = np.linspace(1, 0.1, 4 * epochs)
    trained = []
    for of_seed in predictions.probabilities:
        scores = [score_epoch(of_epoch, of_seed, predictions.labels) for of_epoch in losses.reshape(epochs, 4)]
        trained.append(Trained([], losses, of_seed, {name: np.array([each[name] for each in scores])
                                                     for name in scores[0]}))
    heads.record(trained, len(trained), path)


@pytest.mark.parametrize("classes, seeds", [(2, 3), (3, 1)])
def test_stages_evaluate_and_compare(tmp_path, classes, seeds):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "data/predictions").mkdir(parents=True)
    for name, skill in (("keras", 1.0), ("torch", 3.0)):
        predictions = draw_predictions(seeds, 90, classes, skill, rng=int(skill))
        rows_of(predictions).to_csv(tmp_path / f"data/predictions/{name}.csv", index=False)
        write_record(predictions, tmp_path / f"data/training/{name}")
        (tmp_path / "models" / name).mkdir(parents=True)
        model_info.write(info(predictions.class_names, device=f"a device for {name}"), tmp_path / "models" / name)
    (tmp_path / "metrics/details").mkdir(parents=True)
    (tmp_path / "metrics/details/split.json").write_text('{"median_side": 300}')
    written = []
    for _ in range(2):
        for name in ("evaluate", "compare"):
            done = run_stage(name, tmp_path, "keras", "torch")
            assert done.returncode == 0 and not done.stderr, done.stderr
        written.append({path: path.read_bytes() for path in sorted(tmp_path.rglob("metrics/**/*")) if path.is_file()})
    assert written[0] == written[1]
    assert len(written[0]) == 26  # 2 x (details, 6 plots, 3 metrics), the comparison, what it reads, 4 metrics
    assert read(tmp_path / "metrics/details/compare.json")["verdict"] == "other better"
    of_torch = read(tmp_path / "metrics/details/torch.json")
    assert of_torch["images"] == 90 and of_torch["device"] == "a device for torch"
    accuracy = read(tmp_path / "metrics/accuracy.json")
    assert list(accuracy) == ["keras", "torch", "difference", "low", "high", "p", "verdict"]
    assert accuracy["verdict"] == "PyTorch better" and 0 < accuracy["low"] < accuracy["difference"] < accuracy["high"]
    table, _, sentences = done.stdout.partition("Verdict: ")
    assert max(map(len, table.splitlines())) <= 80 and sentences.startswith("PyTorch better (p ")
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "metrics/plots/torch").iterdir()}
    assert set(tables) == {"confusion", "curves", "precision_recall", "reliability", "roc", "seeds"}
    for rows in tables.values():
        assert len(rows) and list(rows)[:2] == ["competitor", "scope"] and set(rows["competitor"]) == {"PyTorch"}
    assert len(tables["curves"]) == 3


def test_a_stage_without_predictions_ends_with_one_message(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    done = run_stage("evaluate", tmp_path, "keras", "torch")
    assert done.returncode == 1 and "Traceback" not in done.stderr and "data/predictions/keras.csv" in done.stderr
