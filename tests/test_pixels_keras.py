"""The conventions of pixels against Keras's own loader and augmentation: bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import versus.runtime_keras  # noqa: F401  before keras
import keras
import tensorflow as tf
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from PIL import Image

from versus import pixels

SIDE = 96
AVP = Path(__file__).parents[2] / "shared" / "avp"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of all kinds in two classes: JPEG, grey JPEG, PNG, palette PNG named .jpg, RGBA PNG, small and large."""
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
        picture.convert("RGBA").save(root / "b" / f"{number}.png")
    return root


def files(folder):
    return [path for kind in ("a", "b") for path in sorted((folder / kind).iterdir())]


def test_decode_and_resize_equal_image_dataset_from_directory(folder):
    loader = keras.utils.image_dataset_from_directory(folder, image_size=(SIDE, SIDE), batch_size=1, shuffle=False)
    for path, (theirs, _) in zip(files(folder), loader, strict=True):
        ours = pixels.resize(pixels.decode(path, "fast"), SIDE, "interpolated")
        np.testing.assert_array_equal(ours, theirs[0].numpy(), err_msg=path.name)


@pytest.mark.skipif(not AVP.is_dir(), reason=f"the real pictures are not in {AVP}")
def test_real_pictures_too():
    """Five of Alien vs. Predator's are palette PNGs named .jpg, four of them of the validation part."""
    loader = keras.utils.image_dataset_from_directory(AVP / "validation", image_size=(224, 224), batch_size=1,
                                                      shuffle=False)
    for path, (theirs, _) in zip(loader.file_paths, loader, strict=True):
        ours = pixels.resize(pixels.decode(path, "fast"), 224, "interpolated")
        np.testing.assert_array_equal(ours, theirs[0].numpy(), err_msg=path)


def test_a_jpeg_in_cmyk_is_pillows_and_nearly_tensorflows(tmp_path):
    """The exception: TensorFlow converts CMYK by a formula of its own."""
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    Image.fromarray(noise).resize((123, 77)).convert("CMYK").save(tmp_path / "cmyk.jpg")
    theirs = keras.ops.convert_to_numpy(tf.io.decode_image((tmp_path / "cmyk.jpg").read_bytes(), channels=3))
    assert 0 < np.abs(pixels.decode(tmp_path / "cmyk.jpg", "fast").astype(int) - theirs).max() <= 3


def test_resize_equals_the_resizing_layer(folder):
    for path in files(folder)[:6]:
        image = pixels.decode(path, "fast")
        theirs = keras.layers.Resizing(SIDE, SIDE)(image[None].astype("float32"))[0]
        np.testing.assert_array_equal(pixels.resize(image, SIDE, "interpolated"), theirs)


def test_load_img_with_bilinear_is_the_other_habit(folder):
    for path in files(folder):
        loaded = keras.utils.load_img(path, target_size=(SIDE, SIDE), interpolation="bilinear")
        theirs = keras.utils.img_to_array(loaded)
        np.testing.assert_array_equal(pixels.resize(pixels.decode(path, "accurate"), SIDE, "antialiased"), theirs)


@pytest.mark.parametrize("convention", ["interpolated", "antialiased"])
def test_augment_equals_image_data_generator(folder, convention):
    original, noise = ImageDataGenerator(shear_range=10, zoom_range=0.2, horizontal_flip=True), np.random.default_rng(1)
    for path in files(folder):
        image = pixels.resize(pixels.decode(path, "fast"), SIDE, convention)
        view = {"shear": noise.uniform(-10, 10), "zoom_x": noise.uniform(0.8, 1.2), "zoom_y": noise.uniform(0.8, 1.2),
                "flip": noise.random() < 0.5}
        theirs = original.apply_transform(image, {"shear": view["shear"], "zx": view["zoom_x"], "zy": view["zoom_y"],
                                                  "flip_horizontal": view["flip"]})
        np.testing.assert_array_equal(pixels.augment(image, view, "per_axis"), theirs)


def test_swapped_conventions_would_be_seen(folder):
    jpegs = [path for path in files(folder) if path.suffix == ".jpg" and "palette" not in path.name]
    decoded = [(pixels.decode(path, "fast"), pixels.decode(path, "accurate")) for path in jpegs]
    assert max(np.abs(fast.astype(int) - accurate).max() for fast, accurate in decoded) > 1
    assert all(np.abs(pixels.resize(fast, SIDE, "interpolated") - pixels.resize(fast, SIDE, "antialiased")).max() > 0.1
               for fast, _ in decoded if fast.shape[:2] != (SIDE, SIDE))
