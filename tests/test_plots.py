"""The data of the plots against scikit-learn, and what DVC and Vega-Lite make of them with the templates."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import vl_convert
import yaml
from sklearn import metrics

from tests.helpers.paths import ROOT
from tests.helpers.predictions import draw_predictions, predictions_of
from tests.helpers.processes import PATIENT
from versus.artifacts.metrics import write_table
from versus.evaluation import plots
from versus.report import sheet

PLOTS = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
OF_VEGA = {name: plot for each in PLOTS if isinstance(each, dict) for name, plot in each.items()}
IMAGES = [each for each in PLOTS if isinstance(each, str)]
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"
TWENTY = (LONG, "ö, ä", 'quote"d', "[a.b]", "外星人", *(f"class {number:02}" for number in range(15)))


# data

def positives(predictions):
    """The truth of each case and the scores of each seed, made independently."""
    classes = predictions.probabilities.shape[2]
    truth = np.eye(classes, dtype=int)[predictions.labels]
    if classes == 2:
        return truth[:, 1], predictions.probabilities[:, :, 1]
    return truth.ravel(), predictions.probabilities.reshape(len(predictions.seeds), -1)


@pytest.mark.parametrize("classes", [2, 3])
def test_roc_curve_is_thin_and_its_area_is_the_mean_of_the_seeds(classes):
    predictions = draw_predictions(10, 600, classes)
    rows = plots.roc_curve(plots.counts_of(predictions))
    truth, scores = positives(predictions)
    areas = [metrics.roc_auc_score(truth, of_seed) for of_seed in scores]
    assert len(rows) == 200
    assert rows.iloc[0].tolist() == [0, 0] and rows.iloc[-1].tolist() == [1, 1]
    assert metrics.auc(rows["false_positive_rate"], rows["true_positive_rate"]) == pytest.approx(np.mean(areas),
                                                                                                 abs=2e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_area_under_precision_and_recall_is_the_mean_average_precision(classes):
    predictions = draw_predictions(10, 600, classes)
    rows = plots.precision_recall_curve(plots.counts_of(predictions))
    truth, scores = positives(predictions)
    expected = np.mean([metrics.average_precision_score(truth, of_seed) for of_seed in scores])
    assert len(rows) == 200 and rows["recall"].is_monotonic_increasing
    assert rows["precision"].iloc[1:].mean() == pytest.approx(expected, abs=2e-3)  # steps: no trapezoids
    assert rows["precision"].iloc[-1] == pytest.approx(np.mean([
        metrics.precision_recall_curve(truth, of_seed)[0][metrics.precision_recall_curve(truth, of_seed)[1] == 1].max()
        for of_seed in scores]))
    assert set(rows["positives"]) == {truth.mean()}


def of_scikit_learn(truth, scores):
    """The mean curves at the points that are shown: true positive rates and precisions."""
    rates, precisions = [], []
    for of_seed in scores:
        false, true, _ = metrics.roc_curve(truth, of_seed, drop_intermediate=False)
        rates.append(np.interp(np.linspace(0, 1, 199), false, true))
        precision, recall, _ = metrics.precision_recall_curve(truth, of_seed)
        # the highest threshold with that recall, and at a recall of 0 the highest of all that reaches a positive case
        precisions.append([precision[np.flatnonzero(recall >= max(shown, 1e-9) - 1e-12)[-1]]
                           for shown in np.linspace(0, 1, 200)])
    return np.mean(rates, axis=0), np.mean(precisions, axis=0)


@pytest.mark.parametrize("digits", [1, 16])  # with many equal scores and none
@pytest.mark.parametrize("classes", [2, 3, 30])
def test_curves_are_those_of_scikit_learn_at_every_point(classes, digits):
    names = tuple(map(str, range(classes)))
    predictions = draw_predictions(3, 50, classes, names=names)
    predictions = replace(predictions, probabilities=predictions.probabilities.round(digits))
    counts = plots.counts_of(predictions)
    rates, precisions = of_scikit_learn(*positives(predictions))
    assert plots.roc_curve(counts)["true_positive_rate"][1:].tolist() == pytest.approx(rates.tolist(), abs=1e-12)
    assert plots.precision_recall_curve(counts)["precision"].tolist() == pytest.approx(precisions.tolist(), abs=1e-12)


def test_precision_and_recall_by_hand():
    """Scores in falling order: a positive, a negative, two positives. So precision is 1, then 2/3, then 3/4."""
    own = np.array([[0.9, 0.8, 0.7, 0.6]])
    rows = plots.precision_recall_curve(plots.counts_of(
        predictions_of(np.stack([1 - own, own], -1), np.array([1, 0, 1, 1]))))
    shown = [np.interp(recall, rows["recall"], rows["precision"]) for recall in (0.0, 0.3, 0.5, 0.9)]
    assert shown == pytest.approx([1, 1, 2 / 3, 3 / 4])


def test_seeds_of_another_scale_do_not_bend_the_curves():
    """Each seed alone is perfect; pooled, the area under the ROC curve would be 0.75."""
    labels = np.arange(100) % 2
    own = np.stack([0.1 + 0.2 * labels, 0.7 + 0.2 * labels])  # the second seed's scores are all higher
    predictions = predictions_of(np.stack([1 - own, own], axis=-1), labels)
    rows = plots.roc_curve(plots.counts_of(predictions))
    assert metrics.auc(rows["false_positive_rate"], rows["true_positive_rate"]) == pytest.approx(1)
    assert set(plots.precision_recall_curve(plots.counts_of(predictions))["precision"]) == {1}


@pytest.mark.parametrize("classes", [2, 3])
def test_images_of_one_class_have_curves_only_where_there_are_more_classes(classes, recwarn):
    predictions = draw_predictions(2, 60, classes)
    some = predictions.labels == 1
    of_one_class = predictions_of(predictions.probabilities[:, some], predictions.labels[some])
    counts = plots.counts_of(of_one_class)
    for curve in (plots.roc_curve(counts), plots.precision_recall_curve(counts)):
        assert len(curve) > 2 if classes == 3 else curve.empty and len(curve.columns) > 1
    assert not recwarn.list


def test_confusion_is_of_the_first_seed():
    predictions = draw_predictions(2, 60, 3)
    rows = plots.confusion(predictions)
    counts = rows.pivot(index="actual", columns="predicted", values="images").fillna(0)
    assert np.array_equal(counts, metrics.confusion_matrix(predictions.labels, predictions.predicted[0]))
    assert rows.groupby("actual")["share"].sum().tolist() == pytest.approx([1, 1, 1])


def test_confusion_has_every_class_even_without_images():
    predictions = predictions_of(np.full((1, 2, 3), [0.1, 0.2, 0.7]), np.array([0, 0]), ("ö, ä", "p_x", "0"))
    assert plots.confusion(predictions).values.tolist() == [
        ["ö, ä", "ö, ä", 0, 0.0], ["ö, ä", "0", 2, 1.0], ["p_x", "p_x", 0, 0.0], ["0", "0", 0, 0.0]]


def test_accuracies_of_seeds():
    predictions = draw_predictions(4, 60, 3)
    rows = plots.seed_accuracies(predictions)
    assert rows["seed"].tolist() == [0, 1, 2, 3]
    assert rows["accuracy"].tolist() == pytest.approx(
        [metrics.accuracy_score(predictions.labels, of_seed) for of_seed in predictions.predicted])


def test_learning_curves_are_means_and_deviations_over_the_seeds():
    rows = plots.learning_curves(record(seeds=2))
    assert rows["epoch"].tolist() == [1, 2] and rows["images"].tolist() == [40, 40]
    assert rows["train_loss"].tolist() == [2.0, 1.0] and rows["train_loss_sd"].tolist() == pytest.approx(
        [np.sqrt(2), np.sqrt(0.5)])
    assert rows["validation_accuracy"].tolist() == pytest.approx([0.6, 0.95])
    alone = plots.learning_curves(record(seeds=1))
    assert alone["train_loss"].tolist() == [1.0, 0.5] and alone["train_loss_sd"].tolist() == [0, 0]


def record(seeds):
    """What the training of one or two seeds recorded of two epochs, and of 40 validation images."""
    curves = {"train_loss": [[1.0, 0.5], [3.0, 1.5]], "validation_loss": [[2.0, 1.0], [2.0, 0.0]],
              "validation_accuracy": [[0.5, 0.9], [0.7, 1.0]]}
    return {name: np.array(values)[:seeds] for name, values in curves.items()} | {
        "probabilities": np.zeros((seeds, 40, 2))}


@pytest.mark.parametrize("images, part, scope", [
    (1200, "test", "1,200 test images"), (1, "validation", "1 validation image"), (3, "", "3 images")])
def test_a_plot_says_which_images_it_is_of(images, part, scope):
    predictions = replace(draw_predictions(2, images, 2), part=part)
    assert predictions.scope == scope
    tables = plots.plots(predictions, record(2), "first", "Keras")
    assert set(tables["seeds"]["scope"]) == {scope}
    assert set(tables["confusion"]["scope"]) == {f"{scope}, first of 2 seeds"}
    assert set(tables["curves"]["scope"]) == {"2 seeds"}
    if images > 1:
        assert set(tables["roc"]["scope"]) == {f"{scope}, positive: predator"}


# templates

@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the plots of two classes and one seed in HEAD~1, of twenty and five seeds in the workspace."""
    folder = tmp_path_factory.mktemp("plots") / "repository"
    shutil.copytree(ROOT / ".dvc", folder / ".dvc", ignore=lambda folder, names: {*names} - {"config", "plots"}
                    if folder.endswith(".dvc") else set())
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"plots": PLOTS}), encoding="utf-8")
    run(folder, "git", "init", "--quiet")
    for seeds, names in ((1, ("a", "b")), (5, TWENTY)):
        for name, title, skill in (("keras", "Keras", 3), ("torch", "PyTorch", 2)):
            predictions = replace(draw_predictions(seeds, 80, len(names), skill, names=names), part="validation")
            for plot, rows in plots.plots(predictions, record(min(seeds, 2)), "first", title).items():
                write_table(folder / f"metrics/plots/{name}/{plot}.csv", rows)
        shutil.copy(ROOT / "docs/runs/avp-native/waterfall.csv", folder / "metrics/plots")
        for image in IMAGES:
            page = sheet.Sheet(80, 40)
            page.write(f"{seeds}", 0, 0)
            page.save(folder / image, 0)
        run(folder, "git", "add", "--all")
        run(folder, "git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "-m", "test")
    return folder


def run(folder, *command):
    environment = os.environ | PATIENT | {"DVC_SITE_CACHE_DIR": str(folder.with_name("site"))}
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, env=environment)
    assert done.returncode == 0 and "fail" not in done.stderr and "ERROR" not in done.stderr, done.stderr
    return done.stdout


# what is shown: (the command, the commit whose metrics are in the workspace)
SHOWN = {"twenty classes": (("show",), "HEAD"), "two classes": (("show",), "HEAD~1"),
         "both": (("diff", "HEAD~1"), "HEAD")}


@pytest.fixture(scope="module", params=SHOWN)
def shown(repository, request):
    """What `dvc plots` hands out: the number of revisions, and {plot: what it is, for all revisions or one each}."""
    command, commit = SHOWN[request.param]
    run(repository, "git", "checkout", "--quiet", commit, "--", "metrics")
    said = json.loads(run(repository, "dvc", "plots", *command, "--json"))
    assert not said.get("errors")
    return 2 if command[0] == "diff" else 1, said["data"]


def drawn(shown, name):
    """Draw a plot: SVG."""
    (plot,) = shown[1][name]
    return vl_convert.vegalite_to_svg(plot["content"])


def texts(svg):
    """The lines of text in a plot."""
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", svg))


@pytest.mark.parametrize("name", OF_VEGA)
def test_each_plot_is_drawn_without_a_warning(shown, name, capfd):
    revisions, data = shown
    (plot,) = data[name]
    assert "DVC_METRIC" not in json.dumps(plot["content"]) and len(plot["revisions"]) == revisions
    oldest, *_, newest = vl_convert.get_vegalite_versions()
    for version in (oldest, newest):
        svg = vl_convert.vegalite_to_svg(plot["content"], vl_version=version, show_warnings=True)
        assert "WARN" not in "".join(capfd.readouterr())
        assert not re.search(">[^<]*(NaN|undefined|null)[^<]*<", svg)
        assert {OF_VEGA[name]["title"], OF_VEGA[name]["y_label"]} <= texts(svg)
        assert all(word in svg for word in ("Keras", "PyTorch", "workspace"))
        assert ("HEAD~1" in svg) == (revisions == 2)


def test_all_plots_are_there(shown):
    assert list(shown[1]) == [*OF_VEGA, *IMAGES]


def test_competitors_have_the_same_two_colours_everywhere(shown):
    for name in OF_VEGA:
        ((plot,), colours) = shown[1][name], ("#0072B2", "#D55E00")
        text = json.dumps(plot["content"])
        assert name == "confusion" or all(colour in text for colour in colours), name
    assert tuple(colour.upper() for colour in sheet.COLOURS) == colours


def test_epochs_are_whole_numbers(shown):
    words = texts(drawn(shown, "accuracy"))
    assert {"1", "2"} <= words and not {"1.2", "1.5"} & words
    assert any("40 validation images" in word for word in words)
    assert not any("validation images" in word for word in texts(drawn(shown, "training loss")))


def test_confusion_shows_counts_and_cuts_long_names_in_the_middle(repository):
    run(repository, "git", "checkout", "--quiet", "HEAD", "--", "metrics")
    data = json.loads(run(repository, "dvc", "plots", "show", "--json"))["data"]
    svg = drawn((1, data), "confusion")
    counts = pd.read_csv(repository / "metrics/plots/keras/confusion.csv")["images"]
    assert {str(count) for count in counts} | {f"{LONG[:12]}…{LONG[-11:]}"} <= texts(svg) and LONG not in texts(svg)
    assert f"actual: {LONG}" in svg  # as the tooltip says it


def test_points_lie_inside_their_plot(shown):
    """The axis of the seeds' accuracies begins below the lowest and ends above the highest."""
    (plot,) = shown[1]["accuracy of each seed"]
    scale = plot["content"]["spec"]["layer"][1]["encoding"]["y"]["scale"]
    assert scale["padding"] > 0 and scale["zero"] is False


def test_images_stand_side_by_side(shown):
    revisions, data = shown
    for image in IMAGES:
        assert sorted(each["revisions"] for each in data[image]) == sorted([["HEAD~1"], ["workspace"]][2 - revisions:])


def test_the_page_of_all_plots(repository, tmp_path):
    run(repository, "dvc", "plots", "show", "-o", str(tmp_path))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("vegaEmbed(") == len(OF_VEGA) and page.count("<img ") == len(IMAGES)
