"""Features in PyTorch: in the order of the files whatever the batches, by frozen batch norm or that of the batch."""

import numpy as np
import pytest
import torch
from PIL import Image

from versus.frameworks.torch import backbone as backbone_torch
from versus.recipe import conventions
from versus.recipe import draws
from versus.artifacts import features
from versus import params
from versus.recipe import pixels
from versus.frameworks.torch.features import Images, extract_files, infer

COMMITTED = params.load()
MODEL = COMMITTED.model.model_copy(update={"image_size": 64, "weights": "random"})
EXTRACT = COMMITTED.extract.model_copy(update={"views": 2, "batch": 4})
PARAMS = COMMITTED.model_copy(update={"model": MODEL, "extract": EXTRACT})
FROZEN, MOVING = (conventions.resolve(COMMITTED.conventions, framework) for framework in ("keras", "torch"))
PRECISE = {"rtol": 1e-3, "atol": 1e-4}  # between batches of other sizes, float32


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Eleven drawn pictures: 6 to train, the last batch of which is short, and 5 to validate."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(11):
        small = np.random.default_rng(number).integers(0, 256, (9, 12, 3), np.uint8)
        picture = Image.fromarray(small).resize((90 + number, 120 - number), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number}.jpg")
    paths = sorted(folder.iterdir())
    return paths[:6], paths[6:]


@pytest.fixture(scope="module")
def tensors():
    """Random ones that tell pictures apart: as drawn, the features of two would differ by a thousandth."""
    drawn = backbone_torch.find_weights(MODEL)
    return {name: tensor / 4 if name.endswith("running_var") else tensor for name, tensor in drawn.items()}


def build(tensors, batch_norm):
    return backbone_torch.build(MODEL, tensors, batch_norm)


def extract(tensors, files, followed):
    backbone = build(tensors, followed.batch_norm)
    return extract_files(backbone, *files, PARAMS, followed, None), backbone


@pytest.fixture(scope="module")
def frozen(tensors, files):
    return extract(tensors, files, FROZEN)


@pytest.fixture(scope="module")
def moving(tensors, files):
    return extract(tensors, files, MOVING)


def test_frozen_features_are_each_files_own(frozen, tensors, files):
    """Each image alone, made by hand, has the features that its row holds."""
    found, _ = frozen
    backbone, views = build(tensors, "frozen"), draws.views(EXTRACT, 6)
    for view in range(2):
        for i, path in enumerate(files[0]):
            image = pixels.augment(pixels.load(path, 64, FROZEN), views[view, i], FROZEN.augment)
            np.testing.assert_allclose(found.train[view][i], apply(backbone, image), **PRECISE)
    for i, path in enumerate(files[1]):
        np.testing.assert_allclose(found.validation[0][i], apply(backbone, pixels.load(path, 64, FROZEN)), **PRECISE)
    between = [np.abs(found.train[0][i] - found.train[0][j]).max() for i in range(6) for j in range(i)]
    assert min(between) > 0.05  # so that rows in a wrong order would be seen


def test_batches_are_those_drawn(moving, tensors, files):
    """With batch norm in training mode a feature depends on its whole batch, and on the batches before not at all."""
    found, _ = moving
    batches, views = draws.batches(EXTRACT, 6), draws.views(EXTRACT, 6)
    backbone = build(tensors, "batch")
    for view in range(2):
        for batch in batches[view]:
            images = [pixels.augment(pixels.load(files[0][i], 64, MOVING), views[view, i], MOVING.augment)
                      for i in batch]
            expected = apply_in_training(backbone, np.stack(images))
            np.testing.assert_allclose(found.train[view][batch], expected, rtol=1e-3, atol=1e-3)
    assert [len(batch) for batch in batches[0]] == [4, 2]


def test_frozen_makes_validation_once_and_moves_nothing(frozen, tensors):
    found, backbone = frozen
    assert [len(found.train), len(found.validation), found.statistics] == [2, 1, []]
    assert found.statistics_after(3) == {}
    for name, values in backbone_torch.statistics(backbone).items():
        np.testing.assert_array_equal(values, tensors[name])


def test_batch_makes_validation_after_each_view_and_keeps_the_statistics(moving, tensors, files):
    found, _ = moving
    assert [len(found.train), len(found.validation), len(found.statistics)] == [2, 2, 2]
    assert np.abs(found.validation[0] - found.validation[1]).max() > 1e-3
    first, second = found.statistics
    for name in first:
        assert not np.array_equal(first[name], tensors[name]) and not np.array_equal(first[name], second[name])
    assert [found.statistics_after(epochs) for epochs in (1, 2, 5)] == [first, second, second]
    backbone = build(tensors, "frozen")
    for view in range(2):
        backbone_torch.move(backbone, found.statistics[view])
        for i, path in enumerate(files[1]):
            expected = apply(backbone, pixels.load(path, 64, MOVING))
            np.testing.assert_allclose(found.validation[view][i], expected, **PRECISE)


def test_pixels_kept_are_the_first_of_both_parts(frozen, files):
    first, views = draws.batches(EXTRACT, 6)[0][0], draws.views(EXTRACT, 6)
    expected = [pixels.augment(pixels.load(files[0][i], 64, FROZEN), views[0, i], FROZEN.augment) for i in first]
    expected += [pixels.load(path, 64, FROZEN) for path in files[1][:4]]
    np.testing.assert_array_equal(frozen[0].pixels, np.stack(expected))


def test_the_same_bytes_again(moving, tensors, files):
    again, _ = extract(tensors, files, MOVING)
    for part in ("train", "validation"):
        np.testing.assert_array_equal(np.stack(getattr(moving[0], part)), np.stack(getattr(again, part)))


@pytest.mark.parametrize("batch_norm", ["frozen", "batch"])
def test_infer_never_trains_whatever_the_order_of_batches(moving, tensors, files, batch_norm):
    backbone = build(tensors, batch_norm)
    backbone_torch.move(backbone, moving[0].statistics[1])
    batches = [np.array([4, 1]), np.array([0, 3, 2])]
    found = infer(backbone, Images(files[1], batches, None, 64, MOVING), None)
    np.testing.assert_allclose(found, moving[0].validation[1], **PRECISE)
    for name, values in backbone_torch.statistics(backbone).items():
        np.testing.assert_array_equal(values, moving[0].statistics[1][name])


@pytest.mark.parametrize("which", [0, 5])
def test_a_file_that_cannot_be_read_is_named_without_a_traceback(tensors, files, tmp_path, which):
    (tmp_path / "text.jpg").write_text("no picture")
    train = [*files[0][:which], tmp_path / "text.jpg", *files[0][which + 1:]]
    with pytest.raises(ValueError) as caught:
        extract(tensors, (train, files[1]), FROZEN)
    assert str(caught.value).startswith(f"{tmp_path}/text.jpg: got a file that cannot be decoded")
    assert "Traceback" not in str(caught.value)


def settings(size, batch):
    return PARAMS.model_copy(update={"model": MODEL.model_copy(update={"image_size": size}),
                                     "extract": EXTRACT.model_copy(update={"batch": batch, "views": 1})})


def test_a_batch_of_a_single_value_a_channel_is_refused(tensors, files):
    """One of six images is left to a last batch, and 32 pixels a side make one pixel of the last feature map."""
    backbone = build(tensors, "batch")
    with pytest.raises(features.FeaturesError, match="model.image_size: got 32 with an extract.batch of 5, .* 6 train"):
        extract_files(backbone, *files, settings(32, 5), MOVING, None)


@pytest.mark.parametrize("size, batch", [(33, 5), (32, 4)])
@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet50"])
def test_any_larger_batch_or_image_will_do(files, name, size, batch):
    chosen = settings(size, batch)
    model = chosen.model.model_copy(update={"backbone": name})
    backbone = backbone_torch.build(model, backbone_torch.find_weights(model), "batch")
    found = extract_files(backbone, *files, chosen, MOVING, None)
    assert np.isfinite(found.train).all() and all(np.isfinite(values).all() for values in found.statistics[0].values())


def test_features_that_are_not_finite_are_refused(tensors, files):
    broken = tensors | {"bn2.running_var": -np.ones(1280, "float32")}
    with pytest.raises(features.FeaturesError, match="got training features that are not finite; .* model.weights"):
        extract(broken, files, FROZEN)


@pytest.mark.parametrize("which", ["frozen", "moving"])
def test_files_hold_what_was_made(request, which, tmp_path):
    made, _ = request.getfixturevalue(which)
    features.save(made, tmp_path)
    found = features.read(tmp_path)
    for part in ("train", "validation", "pixels"):
        np.testing.assert_array_equal(getattr(found, part), np.stack(getattr(made, part)))
        assert getattr(found, part).dtype == np.float32
    assert len(found.statistics) == len(made.statistics)
    for kept, read in zip(made.statistics, found.statistics):
        assert kept.keys() == read.keys()
        for name in kept:
            np.testing.assert_array_equal(kept[name], read[name])


@torch.inference_mode()
def apply(backbone, image):
    """The features (width,) of one image (size, size, 3)."""
    return backbone(torch.from_numpy(image[None]).permute(0, 3, 1, 2)).numpy()[0]


@torch.inference_mode()
def apply_in_training(backbone, images):
    return backbone(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
