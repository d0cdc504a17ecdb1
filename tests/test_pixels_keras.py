"""The conventions of pixels against Keras's own loader and augmentation: bit for bit."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import tensorflow as tf
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from PIL import Image

from versus.recipe import pixels
from versus.images.inspection import inspect

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


KINDS = {"baseline": {}, "progressive": {"progressive": True}, "grey": {}, "restarts": {"restart_marker_blocks": 4}}
DAMAGES = {
    "bytes before the end": lambda jpeg: jpeg[:-2] + b"some stray bytes" + jpeg[-2:],
    "bytes lost from the scan": lambda jpeg: jpeg[:-300] + jpeg[-290:],
    "other bytes in the scan": lambda jpeg: jpeg[:-300] + b"\x12\x34\x56\x78" + jpeg[-296:],
    "a restart in the scan": lambda jpeg: jpeg[:-300] + b"\xff\xd3" + jpeg[-300:],
    "a wrong order of coefficients": lambda jpeg: jpeg.replace(b"\x00\x3f\x00", b"\x01\x3e\x00", 1),
}


def jpeg(kind="baseline"):
    """The bytes of a JPEG file."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)).resize((123, 77))
    stream = BytesIO()
    picture.convert("L" if kind == "grey" else "RGB").save(stream, "JPEG", **KINDS[kind])
    return stream.getvalue()


@pytest.fixture
def write(tmp_path):
    """Write a file's content, as an image of a class: its path."""
    path = tmp_path / "class" / "picture.jpg"
    path.parent.mkdir()

    def write(content):
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_jpeg_is_tensorflows_too(write, kind, damage):
    content = DAMAGES[damage](jpeg(kind))
    path, theirs = write(content), tf.io.decode_image(content, channels=3).numpy()
    np.testing.assert_array_equal(pixels.decode(path, "fast"), theirs)
    assert inspect(path.parents[1]).problem.tolist() == [""]


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_stops_a_strict_decoder(damage):
    """Of one kind of files at least: in another a wrong byte may go unnoticed."""
    with pytest.raises(ValueError):
        for kind in KINDS:
            simplejpeg.decode_jpeg(DAMAGES[damage](jpeg(kind)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", [2, 300])
def test_a_jpeg_that_is_cut_off_is_refused_as_by_tensorflow(write, kind, lost):
    content = jpeg(kind)[:-lost]
    path = write(content)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_image(content, channels=3)
    for convention in ("fast", "accurate"):
        with pytest.raises(ValueError, match="picture.jpg: got a file that cannot be decoded .*truncated"):
            pixels.decode(path, convention)
    assert "truncated" in inspect(path.parents[1]).problem.item()


@pytest.mark.parametrize("old, new", [
    (b"JFIF\0\1", b"JFIF\0\5"), (b"\3\1\x22", b"\3\1\x42"), (b"\xff\xda", b"stray\xff\xda"),
])
def test_a_jpeg_whose_header_turbojpeg_cannot_read_is_pillows(write, old, new):
    """Another version of JFIF, another sampling of colours, bytes before the scan."""
    path = write(jpeg().replace(old, new, 1))
    np.testing.assert_array_equal(pixels.decode(path, "fast"), pixels.decode(path, "accurate"))


@pytest.mark.parametrize("transform", [0, 2])
def test_a_jpeg_in_cmyk_is_pillows_and_nearly_tensorflows(write, transform):
    """The exception: TensorFlow converts CMYK, with or without a transform to YCCK, by a formula of its own."""
    stream = BytesIO()
    Image.open(BytesIO(jpeg())).convert("CMYK").save(stream, "JPEG")
    content = stream.getvalue().replace(b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0" + bytes([transform]))
    ours = pixels.decode(write(content), "fast")
    np.testing.assert_array_equal(ours, pixels.decode(write(content), "accurate"))
    theirs = keras.ops.convert_to_numpy(tf.io.decode_image(content, channels=3))
    assert 0 < np.abs(ours.astype(int) - theirs).max() <= 5


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
