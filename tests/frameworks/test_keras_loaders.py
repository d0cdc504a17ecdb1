"""Decoding against TensorFlow's on damaged and unusual JPEG files, and Keras's other loaders: bit for bit."""

from io import BytesIO
from pathlib import PurePosixPath

import numpy as np
import pytest
import simplejpeg
import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import tensorflow as tf
from PIL import Image

from tests.conftest import smooth_image
from tests.frameworks import adapters_keras
from versus.images.inspection import inspect
from versus.images.sources.tree import File
from versus.recipe import pixels

SIZE = 96
KINDS = {"baseline": {}, "progressive": {"progressive": True}, "grey": {}, "restarts": {"restart_marker_blocks": 4}}
DAMAGES = {
    "bytes before the end": lambda jpeg: jpeg[:-2] + b"some stray bytes" + jpeg[-2:],
    "bytes lost from the scan": lambda jpeg: jpeg[:-300] + jpeg[-290:],
    "other bytes in the scan": lambda jpeg: jpeg[:-300] + b"\x12\x34\x56\x78" + jpeg[-296:],
    "a restart in the scan": lambda jpeg: jpeg[:-300] + b"\xff\xd3" + jpeg[-300:],
    "a wrong order of coefficients": lambda jpeg: jpeg.replace(b"\x00\x3f\x00", b"\x01\x3e\x00", 1),
}


def problem_of(path):
    """Return what the inspection of a source finds wrong with its only image."""
    target = f"{path.parent.name}/{path.name}"
    return inspect(path.parents[1], [File(PurePosixPath(target), path.parent.name, target=target)]).problem.item()


def jpeg(kind="baseline"):
    """Return the bytes of a JPEG file."""
    stream = BytesIO()
    smooth_image(0, (123, 77)).convert("L" if kind == "grey" else "RGB").save(stream, "JPEG", **KINDS[kind])
    return stream.getvalue()


@pytest.fixture
def write(tmp_path):
    """Write a file's content, as an image of a class; return its path."""
    path = tmp_path / "class" / "image.jpg"
    path.parent.mkdir()

    def write(content):
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_jpeg_is_decoded_as_by_tensorflow(write, kind, damage):
    content = DAMAGES[damage](jpeg(kind))
    path, theirs = write(content), tf.io.decode_image(content, channels=3).numpy()
    np.testing.assert_array_equal(pixels.decode(path, "fast"), theirs)
    assert problem_of(path) == ""


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_stops_a_strict_decoder(damage):
    """Of one kind of files at least: in another a wrong byte may go unnoticed."""
    with pytest.raises(ValueError):
        for kind in KINDS:
            simplejpeg.decode_jpeg(DAMAGES[damage](jpeg(kind)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", [2, 300])
def test_a_truncated_jpeg_is_refused_as_by_tensorflow(write, kind, lost):
    content = jpeg(kind)[:-lost]
    path = write(content)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_image(content, channels=3)
    for convention in ("fast", "accurate"):
        with pytest.raises(ValueError, match="image.jpg: got a file that cannot be decoded .*truncated"):
            pixels.decode(path, convention)
    assert "truncated" in problem_of(path)


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
    theirs = tf.io.decode_image(content, channels=3).numpy()
    assert 0 < np.abs(ours.astype(int) - theirs).max() <= 5


def test_resizing_equals_the_resizing_layer(images_of_all_kinds):
    for path in sorted(images_of_all_kinds.glob("*/*")):
        image = pixels.decode(path, "fast")
        theirs = keras.layers.Resizing(SIZE, SIZE)(image[None].astype("float32"))[0]
        np.testing.assert_array_equal(pixels.resize(image, SIZE, "interpolated"), theirs)


def test_load_img_with_bilinear_is_the_other_default(images_of_all_kinds):
    for path in images_of_all_kinds.glob("*/*"):
        loaded = keras.utils.load_img(path, target_size=(SIZE, SIZE), interpolation="bilinear")
        theirs = keras.utils.img_to_array(loaded)
        np.testing.assert_array_equal(pixels.resize(pixels.decode(path, "accurate"), SIZE, "antialiased"), theirs)


def test_load_img_takes_the_nearest_pixel_today_as_well(images_of_all_kinds):
    for path in images_of_all_kinds.glob("*/*"):
        theirs = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(SIZE, SIZE)))
        np.testing.assert_array_equal(pixels.resize(pixels.decode(path, "accurate"), SIZE, "nearest"), theirs)


def test_augmentation_of_antialiased_images_equals_keras_too(images_of_all_kinds):
    noise = np.random.default_rng(1)
    for path in images_of_all_kinds.glob("*/*"):
        image = pixels.resize(pixels.decode(path, "fast"), SIZE, "antialiased")
        view = {"shear": noise.uniform(-10, 10), "zoom_x": noise.uniform(0.8, 1.2), "zoom_y": noise.uniform(0.8, 1.2),
                "flip": noise.random() < 0.5}
        theirs = adapters_keras.own_augmented(image, view, 2018)
        np.testing.assert_array_equal(pixels.augment(image, view, "per_axis"), theirs)
