"""The conventions of pixels against torchvision's own loader and transforms: bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets, transforms
from torchvision.transforms import functional

from versus.recipe import draws
from versus import params
from versus.recipe import pixels

SIDE = 96
AVP = Path(__file__).parents[2] / "shared" / "avp"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures in two classes: JPEG, grey JPEG, PNG, palette PNG named .jpg, small and large."""
    root = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for kind in ("a", "b"):
        (root / kind).mkdir()
    for number, (width, height) in enumerate([(150, 250), (301, 199), (31, 40), (96, 96), (97, 640), (224, 225)]):
        picture = Image.fromarray(noise.integers(0, 256, (9, 12, 3), np.uint8)).resize((width, height), Image.BICUBIC)
        picture.save(root / "a" / f"{number}.jpg", quality=60 + 6 * number)
        picture.convert("L").save(root / "b" / f"{number}grey.jpg")
        picture.save(root / "a" / f"{number}.png")
        picture.quantize(64).save(root / "b" / f"{number}palette.jpg", format="PNG")
    return root


def ours(path):
    return pixels.resize(pixels.decode(path, "accurate"), SIDE, "antialiased")


def test_decode_and_resize_equal_image_folder(folder):
    steps = transforms.Compose([transforms.Resize((SIDE, SIDE)), transforms.PILToTensor()])
    loader = datasets.ImageFolder(folder, steps)
    assert len(loader) == 24
    for (path, _), (theirs, _) in zip(loader.samples, loader):
        np.testing.assert_array_equal(ours(path), theirs.permute(1, 2, 0).numpy(), err_msg=path)


@pytest.mark.skipif(not AVP.is_dir(), reason=f"the real pictures are not in {AVP}")
def test_real_pictures_too():
    """Five of Alien vs. Predator's are palette PNGs named .jpg, four of them of the validation part."""
    to_tensor = transforms.Compose([transforms.Resize((SIDE, SIDE)), transforms.PILToTensor()])
    loader = datasets.ImageFolder(AVP / "validation", to_tensor)
    for (path, _), (theirs, _) in zip(loader.samples, loader):
        np.testing.assert_array_equal(ours(path), theirs.permute(1, 2, 0).numpy(), err_msg=path)


def test_augment_equals_affine_and_hflip(folder):
    noise = np.random.default_rng(1)
    for path in sorted(folder.glob("*/*")):
        image = ours(path)
        view = {"shear": noise.uniform(-10, 10), "zoom_x": noise.uniform(0.8, 1.2), "zoom_y": 9.9,
                "flip": noise.random() < 0.5}
        picture = Image.fromarray(image.astype(np.uint8))
        theirs = functional.affine(picture, 0, (0, 0), view["zoom_x"], (view["shear"], 0))
        theirs = functional.hflip(theirs) if view["flip"] else theirs
        np.testing.assert_array_equal(pixels.augment(image, view, "uniform"), np.asarray(theirs))


def test_floats_are_moved_as_levels_are(folder):
    """A nearest pixel is chosen by geometry alone: floats, of Keras's resize, land where their rounded levels would."""
    view = {"shear": 7.0, "zoom_x": 0.9, "zoom_y": 1.0, "flip": True}
    for path in sorted(folder.glob("*/*"))[:6]:
        image = pixels.resize(pixels.decode(path, "fast"), SIDE, "interpolated")
        moved = pixels.augment(image, view, "uniform")
        np.testing.assert_array_equal(pixels.augment(image.round(), view, "uniform"), moved.round())


def test_draws_have_the_ranges_of_random_affine():
    torch.manual_seed(0)
    ranges = ([0, 0], None, [0.8, 1.2], [-10, 10], [SIDE, SIDE])
    theirs = [transforms.RandomAffine.get_params(*ranges) for _ in range(4000)]
    drawn = draws.views(params.load().extract, 4000)[0]
    zooms, shears = [each[2] for each in theirs], [each[3][0] for each in theirs]
    quarters = [0, 0.25, 0.5, 0.75, 1]
    for mine, other in ((drawn["zoom_x"], zooms), (drawn["shear"], shears)):
        np.testing.assert_allclose(np.quantile(mine, quarters), np.quantile(other, quarters), atol=0.05 * np.ptp(other))
    assert abs(drawn["flip"].mean() - 0.5) < 0.03
