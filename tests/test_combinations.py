"""Every combination of conventions: whose features it shares, how it is trained, how its predictions are kept."""

import numpy as np
import pytest
from PIL import Image

from tests.helpers.imports import imported
from tests.helpers.paths import ROOT
from versus import params
from versus.artifacts import combinations as files
from versus.artifacts.features import Features, FeaturesError
from versus.artifacts.predictions import Predictions, PredictionsError
from versus.frameworks import combinations
from versus.images.dataset import Part
from versus.params import Conventions
from versus.recipe import conventions

SETTINGS = params.load()


def test_decoders_share_an_entry_where_no_file_is_jpeg(tmp_path):
    natives = [conventions.resolve(Conventions.of("native"), framework) for framework in params.FRAMEWORKS]
    image = Image.new("RGB", (8, 8))
    image.save(tmp_path / "one.png")
    image.save(tmp_path / "two.png", format="JPEG")  # what counts is the content, not the name
    for images, decoders in (([tmp_path / "one.png"], ["any", "any"]),
                             (sorted(tmp_path.iterdir()), [native.decode for native in natives])):
        assert [entry.split("-")[0] for entry in combinations.entries(natives, images)] == decoders


def test_entries_name_what_features_depend_on_and_the_first_combination_of_each_is_computed():
    section = Conventions.of("keras", adam="native", resize="native")
    combined = conventions.combinations(*(conventions.resolve(section, framework) for framework in params.FRAMEWORKS))
    entries = combinations.entries(combined, [])
    assert entries[0] == entries[2] != entries[1] == entries[3]  # bit 1 is Adam's
    assert combinations.first_of_each(entries, combined) == {entries[0]: combined[0], entries[1]: combined[1]}


def test_batches_of_the_batch_statistics_must_be_those_of_training():
    """Across eras, too, whose conventions `params.load` does not see."""
    settings = SETTINGS.model_copy(update={"train": SETTINGS.train.model_copy(update={"batch": 3})})
    frozen, batch = (conventions.resolve(Conventions.of(name), "torch") for name in params.FRAMEWORKS)
    combinations.check_batches(settings, [frozen])
    with pytest.raises(FeaturesError, match="an extract.batch of 32, a train.batch of 3; expected equal ones"):
        combinations.check_batches(settings, [frozen, batch])


@pytest.mark.parametrize("framework", params.FRAMEWORKS)
def test_entries_depend_on_every_module_that_computes_features(framework):
    own = ROOT / "versus/frameworks" / framework
    modules = set().union(*(imported(path) for path in (
        ROOT / "versus/frameworks/extraction.py", own / "features.py", own / "backbone.py", own / "runtime.py")))
    # params and its rules hand on values, which the fingerprint holds; conventions names values, which the entry's name
    # holds; devices has words
    without_effect = {"versus/frameworks/__init__.py", "versus/params.py", "versus/values.py",
                      "versus/recipe/conventions.py", "versus/frameworks/devices.py"}
    assert {path.as_posix() for path in combinations.sources(framework)} == modules - without_effect


def test_seeds_of_the_combinations_are_at_most_those_of_the_native_runs():
    settings = SETTINGS.model_copy(update={"train": SETTINGS.train.model_copy(update={"seeds": 3})})
    changed = combinations.settings_of_combinations(settings)
    assert changed.train.seeds == 3 and changed.extract.views == settings.explain.views
    few = settings.model_copy(update={"explain": settings.explain.model_copy(update={"seeds": 2, "views": 1})})
    changed = combinations.settings_of_combinations(few)
    assert (changed.train.seeds, changed.extract.views) == (2, 1)


class Trainer:
    """A head whose prediction tells its features and how often it was reset; it learns nothing."""

    created = []

    def __init__(self, widths, learning_rate, adam):
        self.widths, self.adam, self.resets = widths, adam, 0
        Trainer.created.append(self)

    def reset(self, weights):
        self.resets += 1

    def step(self, features, labels):
        return 0.0

    def probabilities(self, features):
        own = np.full(len(features), features.mean())
        return np.stack([own, 3 - own], axis=1).astype(np.float32)

    def weights(self):
        return []


def test_combinations_with_equal_features_weights_and_adam_are_trained_once():
    Trainer.created.clear()
    settings = SETTINGS.model_copy(update={"train": SETTINGS.train.model_copy(update={"seeds": 2, "epochs": 1})})
    section = Conventions.of("keras", adam="native", resize="native", decode="native")
    combined = conventions.combinations(*(conventions.resolve(section, framework) for framework in params.FRAMEWORKS))
    # they differ in decode, resize and adam; without JPEG files the first changes nothing
    entries = combinations.entries(combined, [])
    plain = {entry: {"validation": np.full((1, 5, 4), 1.0 + number)}
             for number, entry in enumerate(sorted(set(entries)))}
    train = Part([None] * 6, np.array([0, 1] * 3), ["a", "b"])
    trainings = combinations.trainings(combined, entries)
    assert trainings.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    probabilities = list(combinations.fit_combinations(
        Trainer, settings, combined, entries, lambda entry: Features(np.ones((1, 6, 4)), plain[entry]), train,
        "validation"))
    assert [each.shape for each in probabilities] == [(5, 2)] * 4 * 2  # trainings, seeds
    assert {trainer.adam: trainer.resets for trainer in Trainer.created} == {"uncorrected_1e-7": 4, "corrected_1e-8": 4}
    assert all(trainer.widths == [4, settings.model.hidden, 2] for trainer in Trainer.created)
    for index, entry in enumerate(entries):
        expected = plain[entry]["validation"].mean() / 3
        for seed in range(2):
            of_images = probabilities[trainings[index] * 2 + seed]
            np.testing.assert_allclose(of_images[:, 0] / of_images.sum(axis=1), expected)


def test_a_folder_gives_back_what_it_holds_in_the_same_bytes(tmp_path):
    probabilities = np.random.default_rng(0).random((3, 3, 2, 2)).astype(np.float32)  # of three trainings
    saved = files.Design(("keras", "torch"), "test", ["resize", "adam"], ["w", "x", "w", "x"],
                         ["a/ü, 1.jpg", "b/1.jpg"], ["a", "b"], np.array([0, 1]), np.array([0, 1, 2, 1]))
    for name in ("one", "other"):
        files.save(saved, iter(probabilities.reshape(-1, 2, 2)), 3, tmp_path / name)
    for name in ("design.safetensors", "probabilities.npy"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    read = files.read(tmp_path / "one")
    for name in ("competitors", "part", "factors", "entries", "files", "class_names"):
        assert getattr(read.design, name) == getattr(saved, name)
    native = Predictions((0, 1, 2, 3), tuple(saved.files), ("a", "b"), np.array([0, 1]), np.zeros((4, 2, 2)),
                         np.array([0, 0]))
    scaled = probabilities.astype(float) / probabilities.sum(axis=3, keepdims=True, dtype=float)
    for predictions, units in ((read.of_pair(("keras", "torch"), native), 1), (read.predictions, 2)):
        for each, number in zip(predictions, saved.trainings, strict=True):
            np.testing.assert_array_equal(list(each.probabilities), scaled[number])
            assert each.seeds == (0, 1, 2) and each.independent == units


def test_combinations_of_other_images_or_in_another_order_are_refused(tmp_path):
    design = files.Design(("keras", "torch"), "test", [], ["x"], ["a/1.jpg"], ["a", "b"], np.array([0]), np.array([0]))
    files.save(design, [np.ones((1, 2)) / 2], 1, tmp_path)
    saved = files.read(tmp_path)
    native = Predictions((0,), ("a/2.jpg",), ("a", "b"), np.array([0]), np.ones((1, 1, 2)) / 2)
    with pytest.raises(PredictionsError, match="same images and classes: run `dvc repro`"):
        saved.of_pair(("keras", "torch"), native)
    with pytest.raises(PredictionsError, match="from keras to torch, predictions of torch and keras; .*same competi"):
        saved.of_pair(("torch", "keras"), native)


class Backbone:
    """A framework's module `backbone`: a network is a list of the statistics that it was given."""

    def __init__(self):
        self.built = 0

    def build(self, model, pretrained, batch_norm, precision="full"):
        self.built += 1
        return [batch_norm]

    def statistics(self, network):
        return {"as": network[-1]}

    def set_statistics(self, network, values):
        network.append(values["as"])


@pytest.mark.parametrize("precision, number", [("full", 1), ("bfloat16", 2)])
def test_backbones_are_built_once_and_begin_each_combination_as_they_were_built(monkeypatch, precision, number):
    used = []

    def extract(own, backbones, train, plain, settings, conventions, title, last_pass):
        used.append([(each[0], each[-1]) for each in backbones])
        for each in backbones:
            each.append("changed by extraction")
        return title

    monkeypatch.setattr(combinations, "extract", extract)
    maker, extract_section = Backbone(), SETTINGS.extract.model_copy(update={"precision": precision})
    settings = SETTINGS.model_copy(update={"extract": extract_section})
    computer = combinations.FeatureComputer(maker, None, None, settings, [], {"validation": []})
    section = Conventions.of("keras", resize="native", batch_norm="native")
    combined = conventions.combinations(*(conventions.resolve(section, framework) for framework in params.FRAMEWORKS))
    computer.known[combined[0]] = "known"
    assert [computer.compute(each, str(number)) for number, each in enumerate(combined)] == ["known", "1", "2", "3"]
    assert used == [[(kind, kind)] * 2 for kind in ("frozen", "batch", "batch")]
    assert maker.built == 2 * number
