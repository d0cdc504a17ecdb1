"""Which images a gallery shows, and the sheets on which it shows them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.helpers.cases import photo, save
from tests.helpers.predictions import draw_predictions, predictions_of, predictions_of_two_classes
from tests.helpers.stages import run_stage
from versus.artifacts import predictions_csv
from versus.evaluation import gallery
from versus.report import gallery as sheets
from versus.report.sheet import LIMIT

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"
NAMES = (LONG, "ö, ä", 'quote"d', "外星人 🚀", "a\tb", *(f"class {number:02}" for number in range(15)))


def test_groups_by_hand():
    """The probability that each of five images' true class is given, as means over the seeds."""
    labels = np.array([0, 0, 1, 1, 1])
    one = predictions_of_two_classes(np.array([[0.9, 0.1, 0.2, 0.55, 0.9], [0.8, 0.3, 0.1, 0.55, 0.9]]), labels)
    other = predictions_of_two_classes(np.array([[0.99, 0.1, 0.9, 0.9, 0.3], [0.99, 0.1, 0.9, 0.7, 0.9]]), labels)
    members = {name: images.tolist() for name, images in gallery.groups(one, other).items()}
    assert members == {"wrong": [1], "disagree": [2], "undecided": [3], "right": [0, 4, 3]}
    assert list(members) == [group.name for group in gallery.GROUPS]


def test_the_worst_mistake_comes_first():
    labels = np.zeros(40, int)
    own = np.random.default_rng(0).uniform(0, 0.5, (2, 1, 40))
    pair = [predictions_of_two_classes(each, labels) for each in own]
    order = gallery.groups(*pair)["wrong"]
    assert np.array_equal(order, np.argsort(own.mean(axis=(0, 1)), kind="stable")) and len(order) == 40


@pytest.mark.parametrize("classes", [2, 20])
def test_every_image_is_right_wrong_or_between(classes):
    pair = [draw_predictions(3, 200, classes, skill, rng) for rng, skill in enumerate((1.5, 1.0))] if classes < 6 else [
        draw_predictions(3, 200, classes, skill, rng, NAMES) for rng, skill in enumerate((2.5, 2.0))]
    members = {name: set(images) for name, images in gallery.groups(*pair).items()}
    one, other = (each.probabilities.mean(axis=0).argmax(axis=1) == each.labels for each in pair)
    assert members["right"] == set(np.flatnonzero(one & other))
    assert members["wrong"] == set(np.flatnonzero(~one & ~other))
    assert set(np.flatnonzero(one != other)) <= members["disagree"]


def test_the_table_says_what_is_shown():
    labels = np.array([0, 1])
    one = predictions_of_two_classes(np.array([[0.9, 0.3], [0.3, 0.3]]), labels)
    other = predictions_of_two_classes(np.array([[0.8, 0.4], [0.8, 0.4]]), labels)
    rows = gallery.table({"wrong": np.array([1]), "right": np.array([0])}, {"keras": one, "torch": other})
    assert rows.to_dict("records") == [
        {"group": "wrong", "rank": 1, "file": "predator/001.jpg", "class": "predator", "seeds": 2,
         "keras_predicted": "alien", "keras_probability": 0.7, "keras_true": 0.3, "keras_right": 0,
         "torch_predicted": "alien", "torch_probability": 0.6, "torch_true": 0.4, "torch_right": 0},
        {"group": "right", "rank": 1, "file": "alien/000.jpg", "class": "alien", "seeds": 2,
         "keras_predicted": "alien", "keras_probability": pytest.approx(0.6), "keras_true": pytest.approx(0.6),
         "keras_right": 1, "torch_predicted": "alien", "torch_probability": 0.8, "torch_true": 0.8, "torch_right": 2}]
    assert list(gallery.table({"wrong": np.array([], int)}, {"keras": one, "torch": other})) == list(rows)


# the stage

def lay(folder, one, other, draw):
    """Write predictions and images as the stages before do; `draw` makes the image of a number."""
    for name, predictions in (("keras", one), ("torch", other)):
        predictions_csv.write(replace(predictions, part="test"), folder / f"data/predictions/{name}.csv")
    for number, file in enumerate(one.files):
        save(draw(number), folder / "data/split/test" / file, format="PNG")


def sheets_of(folder):
    return {path.stem: path.read_bytes() for path in (folder / "metrics/gallery").iterdir()}


DRAWN = {
    "of usual size": lambda number: photo(number, (640, 480) if number % 2 else (300, 500)),
    "tiny": lambda number: photo(number, (8, 8)),
    "long": lambda number: photo(number, (900, 3)),
}


@pytest.mark.parametrize("classes, kind", [(2, "of usual size"), (20, "tiny"), (3, "long")])
def test_the_stage_writes_small_sheets_with_the_same_bytes(tmp_path, classes, kind):
    names = NAMES[:classes]
    pair = [draw_predictions(3, 60, classes, 1.0, rng, names) for rng in (1, 2)]
    lay(tmp_path, *pair, DRAWN[kind])
    written = []
    for _ in range(2):
        done = run_stage("gallery", tmp_path, "keras", "torch")
        assert done.returncode == 0 and not done.stderr, done.stderr
        written.append(sheets_of(tmp_path))
    assert written[0] == written[1] and set(written[0]) == {group.name for group in gallery.GROUPS}
    for data in written[0].values():
        assert len(data) < LIMIT and b"tEXt" not in data and b"tIME" not in data
    shown = pd.read_csv(tmp_path / "metrics/gallery.csv")
    assert set(shown["class"]) <= set(names) and shown.groupby("group").size().max() <= sheets.MOST
    assert set(shown["file"]) <= set(pair[0].files)


def test_a_group_without_images_is_a_sentence(tmp_path):
    pair = [predictions_of_two_classes(np.full((1, 6), own), np.arange(6) % 2) for own in (0.9, 0.95)]
    lay(tmp_path, *pair, DRAWN["tiny"])
    assert run_stage("gallery", tmp_path, "keras", "torch").returncode == 0
    heights = {path.stem: Image.open(path).height for path in (tmp_path / "metrics/gallery").iterdir()}
    assert max(heights[name] for name in ("wrong", "disagree", "undecided")) < 100 < heights["right"]
    assert set(pd.read_csv(tmp_path / "metrics/gallery.csv")["group"]) == {"right"}


class Written:
    """In place of a sheet: remembers what is written."""

    def __init__(self, monkeypatch):
        self.lines = []
        monkeypatch.setattr(sheets.Sheet, "write", lambda sheet, text, *how, **more: self.lines.append(text))


def test_a_cell_says_what_both_give_to_the_true_class_and_the_next_ones(tmp_path, monkeypatch):
    values = np.array([[[0.01, 0.95, 0.04, 0.0]], [[0.2, 0.004, 0.096, 0.7]]])
    pair = [predictions_of(each[None], np.array([0])) for each in values]
    save(photo(0), tmp_path / pair[0].files[0])
    written = Written(monkeypatch)
    sheets.draw(gallery.GROUPS[0], np.array([0]), pair, ("Keras", "PyTorch"), tmp_path)
    assert written.lines[-12:] == ["Keras", "PyTorch", "✓ alien", "1 %", "20 %", "predator", "95 %", "<1 %", "ship",
                                   "0 %", "70 %", "alien/000.jpg"]
    assert written.lines[0] == "Wrong" and written.lines[1].startswith("Both classify 1 of 1 image wrongly;")


def test_percentages_are_said_to_be_means_of_the_seeds(tmp_path, monkeypatch):
    pair = [predictions_of_two_classes(np.array([[0.9], [0.7], [0.2]]), np.array([0]))] * 2
    save(photo(0), tmp_path / pair[0].files[0])
    written = Written(monkeypatch)
    sheets.draw(gallery.GROUPS[3], np.array([0]), tuple(pair), ("Keras", "PyTorch"), tmp_path)
    assert "Percentages are means over 3 seeds." in written.lines[1]
    assert written.lines.count("60 %") == 2 and written.lines.count("2/3") == 2


def test_an_image_that_cannot_be_read_ends_the_stage_with_one_message(tmp_path):
    pair = [predictions_of_two_classes(np.full((1, 2), 0.9), np.arange(2))] * 2
    lay(tmp_path, *pair, DRAWN["tiny"])
    (tmp_path / "data/split/test" / pair[0].files[0]).write_text("no image")
    done = run_stage("gallery", tmp_path, "keras", "torch")
    assert done.returncode == 1 and "Traceback" not in done.stderr and pair[0].files[0] in done.stderr
