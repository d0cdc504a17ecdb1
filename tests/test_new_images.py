"""New images and saved classifiers: `versus predict` and `versus evaluate`, in a folder with nothing but models/."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.cases import photo, save
from tests.helpers.paths import ROOT
from tests.helpers.processes import PATIENT
from versus import params
from versus.artifacts import predictions_csv
from versus.evaluation import scores
from versus.frameworks import stream
from versus.frameworks.stream import AHEAD, BATCH, classify
from versus.images import later
from versus.images.conversion import Conversion

NAMES = [f"{number}.jpg" for number in range(6)]
CLASSES = ["cat", "dog", "owl"]


@pytest.fixture(scope="module")
def place(saved_classifiers):
    """A folder with classifiers of both frameworks in models/, their probabilities of plain/* in models/*.npy."""
    return saved_classifiers[0].parent


@pytest.fixture(scope="module")
def mixed(place):
    """Images of all kinds, damaged ones, and what is no image."""
    folder = place / "mixed"
    image = photo(1, (90, 70))
    save(image, folder / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    save(image.transpose(Image.Transpose.ROTATE_90), folder / "turned.png", exif=exif)
    see_through = image.convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize(image.size))
    save(see_through, folder / "see-through.png")
    ground = Image.new("RGBA", image.size, "red")
    save(Image.alpha_composite(ground, see_through).convert("RGB"), folder / "over-red.png")
    grey = np.asarray(image.convert("L"))
    save(Image.fromarray(grey.astype(np.uint16) * 16), folder / "deep.tif")  # 0..4080
    save(Image.fromarray(grey), folder / "grey.png")
    (folder / "cut.jpg").write_bytes((place / "plain/0.jpg").read_bytes()[:-500])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no image")
    return folder


def versus(folder, *arguments):
    """Run `python -m versus` in `folder`."""
    environment = os.environ | PATIENT | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    return subprocess.run([sys.executable, "-m", "versus", *map(str, arguments)], cwd=folder, text=True,
                          capture_output=True, env=environment)


def rows(text):
    return {row["file"]: row for row in map(json.loads, text.splitlines())}


def probabilities(entry):
    """The probabilities in the order of CLASSES."""
    by_class = {each["class"]: each["probability"] for each in entry}
    return [by_class[name] for name in CLASSES]


def test_both_frameworks_say_what_their_classifiers_do(place):
    """The models folder alone is needed: here it is a copy in another place."""
    other = place.parent / "another machine"
    shutil.copytree(place / "models", other / "mine")
    done = versus(other, "predict", place / "plain", "--models", "mine", "--json", "-", "--csv", "all.csv",
                  "--top", 3)
    assert (done.returncode, done.stderr) == (0, "")
    said = rows(done.stdout)
    assert list(said) == [str(place / "plain" / name) for name in NAMES]
    for framework in params.FRAMEWORKS:
        expected = np.load(place / f"models/{framework}.npy")
        assert np.ptp(expected, axis=0).max() > 0.01
        np.testing.assert_allclose([probabilities(row[framework]) for row in said.values()], expected, atol=1e-5)
    for row in csv.DictReader((other / "all.csv").read_text().splitlines()):
        for framework in params.FRAMEWORKS:
            ranked = said[row["file"]][framework]
            for rank, each in zip(("", "2", "3"), ranked):
                assert row[f"{framework}_class{rank}"] == each["class"]
                assert float(row[f"{framework}_probability{rank}"]) == each["probability"]
            assert [each["probability"] for each in ranked] == sorted(probabilities(ranked), reverse=True)


@pytest.mark.parametrize("framework", params.FRAMEWORKS)
def test_new_images_come_through_the_door_of_the_set(place, mixed, framework):
    """Orientation, transparency over the set's background, depth by the set's range; what is damaged has a reason."""
    done = versus(place, "predict", mixed, "nowhere.jpg", "--framework", framework, "--json", "-", "--top", 3,
                  "--plot", f"{framework}.png")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "3 of 9 files cannot be used" in done.stderr and "1 other file, such as notes.txt" in done.stderr
    said = {Path(file).name: row for file, row in rows(done.stdout).items()}
    for one, other in (("turned.png", "upright.png"), ("see-through.png", "over-red.png"), ("deep.tif", "grey.png")):
        np.testing.assert_allclose(*(probabilities(said[name][framework]) for name in (one, other)), atol=1e-5)
    assert probabilities(said["over-red.png"][framework]) != probabilities(said["upright.png"][framework])
    assert said["empty.png"] == {"file": str(mixed / "empty.png"), "problem": "empty file"}
    assert said["cut.jpg"]["problem"].startswith("cannot be decoded: image file is truncated")
    assert said["nowhere.jpg"]["problem"] == "No such file or directory"
    with Image.open(place / f"{framework}.png") as grid:
        assert grid.width == 6 * 238 + 14 and grid.height > 238 + 2 * 16
        assert len(grid.convert("RGB").getcolors(2**24)) > 1000


def test_lines_for_people(place, mixed):
    done = versus(place, "predict", "plain/0.jpg", mixed / "empty.png", "--top", 2)
    assert done.returncode == 1
    heading, first, second = done.stdout.splitlines()
    assert heading.split() == ["Keras", "PyTorch"] and second.endswith("empty.png  empty file")
    words = first.split()
    assert words[0] == "plain/0.jpg" and len(words) == 9 and set(words[1::2]) <= set(CLASSES)
    np.testing.assert_allclose(sorted(np.load(place / "models/torch.npy")[0])[:0:-1], [*map(float, words[6::2])],
                               atol=6e-4)


@pytest.mark.parametrize("arguments, message", [
    (["predict", "plain", "--models", "nothing"], "nothing: got no classifiers; expected the folder models"),
    (["predict", "plain", "--models", "nothing", "--framework", "keras"], "nothing/keras/model.json: No such file"),
    (["predict", "plain", "--framework", "jax"], "got 'jax'; expected keras or torch"),
    (["predict", "void"], "void: got no images"), (["predict", "plain", "--top", "0"], "got '0'; expected a number"),
    (["predict", "plain/0.jpg", "--csv", "no/where.csv"], "no/where.csv: No such file"),
    (["predict", "plain/0.jpg", "--plot", "grid.what"], "grid.what: got the suffix '.what'; expected a PNG file"),
    (["evaluate", "plain"], "plain: got folders '.'; expected <class>/* with the classes"),
    (["evaluate", "void"], "void: got no images"),
])
def test_mistakes_end_with_one_message(place, arguments, message):
    (place / "void").mkdir(exist_ok=True)
    done = versus(place, *arguments)
    assert done.returncode != 0 and message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("modules, absent", [
    ("versus.__main__, versus.report.prediction, versus.report.classified, versus.images.later, "
     "versus.frameworks.stream",
     {"pandas", "scipy", "cv2", "kagglehub", "tensorflow", "torch"}),
    ("versus.frameworks.classification, versus.frameworks.torch.saved", {"timm", "torchvision", "scipy", "tensorflow"}),
    ("versus.frameworks.classification, versus.frameworks.keras.saved", {"sklearn", "matplotlib", "torch"})])
def test_nothing_is_imported_that_one_image_does_not_need(modules, absent):
    """Start-up is most of the time that one image takes; pandas alone is a tenth of it."""
    code = f"import sys, {modules}; print(*{absent} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("how", ["closed", "interrupted"])
def test_who_has_seen_enough_gets_no_traceback(place, how):
    """`| head -1`, and Ctrl-C, which the terminal sends to all processes of a command.

    Tests may run in the background, where shells have interrupts ignored, and so would what is started there.
    """
    process = subprocess.Popen([sys.executable, "-m", "versus", "predict", *2000 * ["plain"], "--framework", "torch"],
                               cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=os.environ | PATIENT | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert process.stdout.readline().startswith("plain/0.jpg")
    if how == "closed":
        process.stdout.close()
    else:
        os.killpg(process.pid, signal.SIGINT)
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1 and said == {"closed": "", "interrupted": "interrupted\n"}[how]


def test_a_damaged_classifier_is_said(place):
    broken = place / "broken"
    shutil.copytree(place / "models/keras", broken / "keras")
    (broken / "keras/classifier.keras").write_bytes(b"PK\3\4")
    done = versus(place, "predict", "plain/0.jpg", "--models", "broken")
    assert done.returncode == 1 and "Traceback" not in done.stderr and not done.stdout
    assert "broken/keras: the classifier cannot be loaded" in done.stderr
    assert "the process of keras ended with exit code 1" in done.stderr
    (broken / "keras/model.json").write_text("{}")
    assert "broken/keras/model.json: damaged, or of another version" in versus(
        place, "predict", "plain/0.jpg", "--models", "broken").stderr


# labelled images

def test_evaluate_scores_as_the_pipeline_does(place):
    for number, name in enumerate(["cat", "dog", "owl"]):
        for index in range(6):
            save(photo([number, index], (90, 70)), place / "labelled/test" / name / f"{index}.png")
    save(photo(99), place / "labelled/test/mouse/1.png")
    shutil.copy(place / "labelled/test/cat/0.png", place / "labelled/test/cat/again.png")
    (place / "labelled/test/owl/empty.png").write_bytes(b"")
    done = versus(place, "evaluate", "labelled", "--predictions", "written")
    assert done.returncode == 1 and "1 of 20 files cannot be used" in done.stderr and "'test/mouse'" in done.stderr
    assert "19 new images, 18 independent, 1 seed (PyTorch minus Keras)" in done.stdout and "Verdict" in done.stdout
    for framework, title in (("keras", "Keras"), ("torch", "PyTorch")):
        predictions = predictions_csv.read(place / f"written/{framework}.csv")
        assert predictions.part == "new" and len(predictions.files) == 19 and predictions.independent == 18
        accuracy = scores.summary(predictions, params.Compare(margin=0.02, bootstrap=100, seed=0))["accuracy"]
        assert f"Accuracy of {title}'s saved classifier: {accuracy:.3f} (95 % interval " in done.stdout
    alone = versus(place, "evaluate", "labelled/test", "--framework", "torch")
    assert alone.returncode == 1 and "19 new images, 18 independent" in alone.stdout and "Keras" not in alone.stdout


# the stream

class FakeWorker:
    """Gives every file the probability of its own number."""

    framework = "keras"

    def __init__(self):
        self.requests = []

    def request(self, files):
        self.requests.append(files)

    def answer(self):
        return [[float(path.stem), 0.0] for path in self.requests.pop(0)]


class FakeWorkers:
    cores = 2

    def __init__(self):
        self.each = [FakeWorker()]


def test_a_stream_is_in_order_and_holds_only_a_few_batches(monkeypatch, tmp_path):
    monkeypatch.setattr(stream, "plain_file", lambda path, *how: path)
    taken = []
    files = (taken.append(number) or Path(f"{number}.png") for number in range(50 * BATCH + 1))
    results = classify(FakeWorkers(), files, Conversion("white"), tmp_path)
    for number, result in enumerate(results):
        assert result.file == Path(f"{number}.png") and result.probabilities == {"keras": [number, 0.0]}
        assert len(taken) <= number + 1 + (2 * AHEAD + 2) * BATCH
    assert number == 50 * BATCH


def test_files_are_those_named_and_the_images_in_folders(tmp_path):
    for name in ("b/2.png", "b/1.jpg", "a/deep/3.png"):
        save(photo(0), tmp_path / name)
    for name in ("b/notes.txt", "b/.hidden.png"):
        (tmp_path / name).write_text("")
    files, others = later.files_of([tmp_path / "b", "nowhere.png", tmp_path / "a"])
    assert files == [tmp_path / "b/1.jpg", tmp_path / "b/2.png", Path("nowhere.png"), tmp_path / "a/deep/3.png"]
    assert sorted(other.path.name for other in others) == [".hidden.png", "notes.txt"]
