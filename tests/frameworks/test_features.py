"""Features: in the order of the files whatever the batches, by frozen batch norm or that of the batch."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from tqdm import tqdm

from tests.helpers.backbones import MODEL, MODELS, distance
from tests.helpers.features import save
from tests.helpers.processors import needs_bfloat16
from versus import params
from versus.artifacts import features
from versus.artifacts.features import FeaturesError
from versus.frameworks.extraction import Backbones, build, check_batches, extract
from versus.recipe import draws, pixels
from versus.recipe.conventions import resolve_features
from versus.recipe.pixels import ImageBatches
from versus.recipe.weights import Pretrained

COMMITTED = params.load()
EXTRACT = COMMITTED.extract.model_copy(update={"views": 2, "batch": 4})
TRAIN = COMMITTED.train.model_copy(update={"batch": 4})
SETTINGS = COMMITTED.model_copy(update={"model": MODEL, "extract": EXTRACT, "train": TRAIN})
FROZEN, UPDATING = (resolve_features(params.Conventions.of("native"), framework) for framework in ("keras", "torch"))
NOT_STORED = replace(UPDATING, batch_norm="batch_not_stored")
BOUND = 1e-4  # relative, of the features of any image: batches of other sizes sum up in another order, in float32


@pytest.fixture(scope="module")
def files(photographs):
    """Eleven images: 6 to train, the last batch of which is short, and 5 to validate."""
    paths = sorted(photographs.glob("*/*.jpg"))
    return paths[:6], paths[12:17]


@pytest.fixture(scope="module")
def distinct(tensors):
    """Random tensors that tell images apart: as drawn, the features of two would differ by a thousandth."""
    drawn = tensors[MODEL.backbone]
    return {name: tensor / 4 if name.endswith("running_var") else tensor for name, tensor in drawn.items()}


@pytest.fixture(scope="module")
def new(own, distinct):
    """Build Lite0 with those tensors: `new(batch_norm)`."""
    return lambda batch_norm: own.backbone.build(MODEL, Pretrained(distinct), batch_norm)


@pytest.fixture(scope="module")
def reset(own, distinct):
    """Set a backbone's running statistics back: `reset(backbone)`."""
    stored = {name: tensor for name, tensor in distinct.items() if name.endswith(("running_mean", "running_var"))}
    return lambda backbone: own.backbone.set_statistics(backbone, stored)


@pytest.fixture(scope="module")
def backbones(new):
    """A backbone of each kind, since a framework may compile each once: whoever changes the statistics resets them."""
    return {batch_norm: new(batch_norm) for batch_norm in ("frozen", "batch", "batch_not_stored")}


@pytest.fixture
def backbone(backbones, reset):
    """One to be applied with other statistics."""
    yield backbones["batch_not_stored"]
    reset(backbones["batch_not_stored"])


@pytest.fixture(scope="module")
def extract_with(own, files):
    """Extract the features of `files` or others: `extract_with(backbone, conventions, settings, files)`."""
    def extract_with(backbone, conventions, settings=SETTINGS, files=files, **more):
        return extract(own.features, Backbones(backbone, backbone), files[0], {"validation": files[1]}, settings,
                       conventions, None, **more)

    return extract_with


@pytest.fixture(scope="module")
def frozen(own, backbones, extract_with):
    """The features by frozen batch norm, and the backbone's statistics after extraction."""
    return extract_with(backbones["frozen"], FROZEN), own.backbone.statistics(backbones["frozen"])


@pytest.fixture(scope="module")
def updating(backbones, extract_with, reset):
    """The features by the batch norm of the batch."""
    of_files = extract_with(backbones["batch"], UPDATING)
    reset(backbones["batch"])
    return of_files


def plain(paths, conventions):
    """Read images as they are: (n, size, size, 3)."""
    return np.stack([pixels.read_image(path, MODEL.image_size, conventions) for path in paths])


def augmented(paths, views, conventions):
    """Read and augment images, each by its view: (n, size, size, 3)."""
    images = zip(plain(paths, conventions), views, strict=True)
    return np.stack([pixels.augment(image, view, conventions.augment) for image, view in images])


def each_alone(adapter, backbone, images):
    """Compute the features of images one by one: (n, width)."""
    return np.concatenate([adapter.apply(backbone, image[None]) for image in images])


# rows

def test_frozen_features_are_each_files_own(adapter, frozen, backbones, files):
    """Each image alone, read by hand, has the features that its row holds."""
    (of_files, _), views = frozen, draws.views(EXTRACT, 6)
    for view in range(2):
        alone = each_alone(adapter, backbones["frozen"], augmented(files[0], views[view], FROZEN))
        assert distance(of_files.augmented[view], alone) < BOUND
    alone = each_alone(adapter, backbones["frozen"], plain(files[1], FROZEN))
    assert distance(of_files.plain["validation"][0], alone) < BOUND
    between = [distance(alone[[i]], alone[[j]]) for i in range(5) for j in range(i)]
    assert min(between) > 0.1  # so that rows in a wrong order would be seen


def test_batches_are_those_drawn(adapter, updating, backbones, files, reset):
    """With batch norm in training mode a feature depends on its whole batch, and on the batches before not at all."""
    batches, views = draws.batches(EXTRACT, 6), draws.views(EXTRACT, 6)
    for view in range(2):
        for batch in batches[view]:
            images = augmented([files[0][i] for i in batch], views[view, batch], UPDATING)
            expected = adapter.apply(backbones["batch"], images, training=True)
            assert distance(updating.augmented[view, batch], expected) < BOUND
    reset(backbones["batch"])
    assert [len(batch) for batch in batches[0]] == [4, 2]


def test_pixels_are_the_first_of_both_parts(frozen, files):
    first, views = draws.batches(EXTRACT, 6)[0][0], draws.views(EXTRACT, 6)
    expected = augmented([files[0][i] for i in first], views[0, first], FROZEN)
    np.testing.assert_array_equal(frozen[0].pixels, [*expected, *plain(files[1][:4], FROZEN)])


def test_the_same_bytes_again(updating, new, extract_with):
    again = extract_with(new("batch"), UPDATING)
    np.testing.assert_array_equal(again.augmented, updating.augmented)
    np.testing.assert_array_equal(again.plain["validation"], updating.plain["validation"])


# statistics

def test_frozen_batch_norm_needs_one_pass_and_changes_no_statistics(frozen, distinct):
    of_files, statistics = frozen
    assert [len(of_files.augmented), len(of_files.plain["validation"]), of_files.statistics] == [2, 1, []]
    assert of_files.statistics_after(3) == {}
    for name, values in statistics.items():
        np.testing.assert_array_equal(values, distinct[name])


def test_batch_statistics_that_are_not_stored_need_one_pass(own, adapter, backbones, updating, extract_with, distinct,
                                                            files):
    """While the head trains the features are those of the batch, in inference those of the stored statistics."""
    of_files = extract_with(backbones["batch_not_stored"], NOT_STORED)
    assert [len(of_files.augmented), len(of_files.plain["validation"]), of_files.statistics] == [2, 1, []]
    np.testing.assert_allclose(of_files.augmented, updating.augmented, rtol=1e-5, atol=1e-5)
    alone = each_alone(adapter, backbones["frozen"], plain(files[1], NOT_STORED))
    assert distance(of_files.plain["validation"][0], alone) < BOUND
    for name, values in own.backbone.statistics(backbones["batch_not_stored"]).items():
        np.testing.assert_array_equal(values, distinct[name])


def test_batch_statistics_need_a_pass_after_each_view(own, adapter, updating, backbone, distinct, files):
    validation = updating.plain["validation"]
    assert [len(updating.augmented), len(validation), len(updating.statistics)] == [2, 2, 2]
    assert np.abs(validation[0] - validation[1]).max() > 1e-3
    first, second = updating.statistics
    for name in first:
        assert not np.array_equal(first[name], distinct[name]) and not np.array_equal(first[name], second[name])
    assert [updating.statistics_after(epochs) for epochs in (1, 2, 5)] == [first, second, second]
    for view in range(2):
        own.backbone.set_statistics(backbone, updating.statistics[view])
        assert distance(validation[view], each_alone(adapter, backbone, plain(files[1], UPDATING))) < BOUND


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_the_pass_that_training_ends_with_can_be_had_alone(backbones, updating, extract_with, reset, epochs):
    settings = SETTINGS.model_copy(update={"train": SETTINGS.train.model_copy(update={"epochs": epochs})})
    alone = extract_with(backbones["batch"], UPDATING, settings, last_pass=True)
    reset(backbones["batch"])
    expected = updating.last_pass(epochs)
    assert len(alone.plain["validation"]) == 1
    for one, other in ((alone.plain["validation"], expected.plain["validation"]),
                       (alone.augmented, expected.augmented), (alone.pixels, expected.pixels)):
        np.testing.assert_array_equal(one, other)
    assert all(np.array_equal(one[name], other[name]) for one, other in zip(alone.statistics, expected.statistics)
               for name in one)


@pytest.mark.parametrize("batch_norm", ["frozen", "batch", "batch_not_stored"])
def test_inference_never_trains_whatever_the_order_of_batches(own, adapter, backbones, files, batch_norm):
    backbone, batches = backbones[batch_norm], [np.array([4, 1]), np.array([0, 3, 2])]
    before = own.backbone.statistics(backbone)
    with tqdm(file=StringIO()) as bar:
        images = ImageBatches(files[1], batches, MODEL.image_size, UPDATING.pixels)
        of_images = own.features.apply(backbone, images, False, bar)
    assert bar.n == 5
    assert distance(of_images, each_alone(adapter, backbone, plain(files[1], UPDATING))) < BOUND
    for name, values in own.backbone.statistics(backbone).items():
        np.testing.assert_array_equal(values, before[name])


# what is refused

@pytest.mark.parametrize("position", [0, 5])
def test_a_file_that_cannot_be_read_is_named_without_a_traceback(backbones, extract_with, files, tmp_path, position):
    (tmp_path / "text.jpg").write_text("no image")
    train = [*files[0][:position], tmp_path / "text.jpg", *files[0][position + 1:]]
    with pytest.raises(ValueError) as caught:
        extract_with(backbones["frozen"], FROZEN, files=(train, files[1]))
    assert str(caught.value).startswith(f"{tmp_path}/text.jpg: got a file that cannot be decoded")
    assert "Traceback" not in str(caught.value)


def settings_of(size, batch):
    """The settings with images of another size and batches of another length, of one view."""
    return SETTINGS.model_copy(update={"model": MODEL.model_copy(update={"image_size": size}),
                                       "extract": EXTRACT.model_copy(update={"batch": batch, "views": 1}),
                                       "train": TRAIN.model_copy(update={"batch": batch})})


def test_a_batch_of_a_single_value_a_channel_is_refused(backbones, extract_with):
    """One of six images is left to a last batch, and 32 pixels a side make one pixel of the last feature map."""
    with pytest.raises(FeaturesError, match="model.image_size: got 32 with an extract.batch of 5, .* 6 train"):
        extract_with(backbones["batch"], UPDATING, settings_of(32, 5))


@pytest.mark.parametrize("size, batch", [(33, 5), (32, 4)])
@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet50"])
def test_any_larger_batch_or_image_will_do(own, adapter, tensors, name, size, batch):
    """Six images leave one of 33 pixels a side to the last batch, or two of 32."""
    settings = settings_of(size, batch)
    check_batches(settings, True, draws.batches(settings.extract, 6))
    model = settings.model.model_copy(update={"backbone": name})
    backbone = own.backbone.build(model, Pretrained(tensors[name]), "batch")
    last = np.random.default_rng(0).uniform(0, 255, (6 % batch, size, size, 3)).astype(np.float32)
    of_last = adapter.apply(backbone, last, training=True)
    assert np.isfinite(of_last).all()
    assert all(np.isfinite(values).all() for values in own.backbone.statistics(backbone).values())


def test_features_that_are_not_finite_are_refused(own, extract_with, tensors):
    """Where the last layer is a relu, infinite ones: huge weights before it."""
    drawn = tensors["resnet50"]
    huge = drawn | {"layer4.2.bn3.weight": np.full_like(drawn["layer4.2.bn3.weight"], 3e38)}
    backbone = own.backbone.build(MODELS["resnet50"], Pretrained(huge), "frozen")
    settings = SETTINGS.model_copy(update={"model": MODELS["resnet50"]})
    with pytest.raises(FeaturesError, match="got training features that are not finite; .* model.weights"):
        extract_with(backbone, FROZEN, settings)


# bfloat16

@needs_bfloat16
@pytest.mark.parametrize("conventions, bound", [(FROZEN, 0.4), (UPDATING, 0.5)], ids=["frozen", "updating"])
def test_views_in_bfloat16_are_near_those_of_full_precision(own, distinct, files, conventions, bound):
    """Random weights enlarge the rounding: views 0.26 (frozen) and 0.38 apart, plain 0.07, statistics 0.11."""
    computed, statistics = {}, {}
    for precision in ("full", "bfloat16"):
        settings = SETTINGS.model_copy(update={"extract": EXTRACT.model_copy(update={"precision": precision})})
        backbones = build(own.backbone, settings, Pretrained(distinct), conventions.batch_norm)
        of_files = extract(own.features, backbones, files[0], {"validation": files[1]}, settings, conventions, None)
        computed[precision], statistics[precision] = of_files, own.backbone.statistics(backbones.plain)
    full, reduced = computed["full"], computed["bfloat16"]
    assert reduced.augmented.dtype == np.float32
    for view, exact in zip(reduced.augmented, full.augmented):
        assert 1e-3 < distance(view, exact) < bound
        nearest = np.linalg.norm(view[:, None] - exact, axis=2).argmin(axis=1)
        assert nearest.tolist() == list(range(len(exact)))  # each image's own
    np.testing.assert_array_equal(reduced.pixels, full.pixels)
    if conventions is FROZEN:  # images as they are have the bits of full precision
        np.testing.assert_array_equal(reduced.plain["validation"], full.plain["validation"])
        return
    assert distance(reduced.plain["validation"][-1], full.plain["validation"][-1]) < 0.15
    for name, values in reduced.statistics[-1].items():
        np.testing.assert_array_equal(statistics["bfloat16"][name], values)
        assert values.dtype == np.float32 and distance(values[None], full.statistics[-1][name][None]) < 0.2, name


# files

@pytest.mark.parametrize("kind", ["frozen", "updating"])
def test_files_hold_what_was_extracted(frozen, updating, kind, tmp_path):
    written = {"frozen": frozen[0], "updating": updating}[kind]
    save(written, tmp_path / "features")
    read = features.read(tmp_path / "features")
    pairs = [(read.augmented, written.augmented), (read.pixels, written.pixels),
             (read.plain.pop("validation"), written.plain["validation"])]
    for array, expected in pairs:
        np.testing.assert_array_equal(array, expected)
        assert array.dtype == np.float32
    assert not read.plain
    assert len(read.statistics) == len(written.statistics)
    for after, expected in zip(read.statistics, written.statistics):
        assert after.keys() == expected.keys()
        for name in after:
            np.testing.assert_array_equal(after[name], expected[name])
