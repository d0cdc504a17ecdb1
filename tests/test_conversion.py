"""Images that loaders would misread become plain PNG files that show the same; all others stay as they are."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pillow_heif  # noqa: F401  the writer of HEIC
import pytest
from PIL import Image, ImageOps

from tests.helpers.cases import photo, save
from versus.images import conversion
from versus.images.conversion import Conversion, convert, converted, deep_range, needed
from versus.images.opening import ImageError, open_image


def reasons(path):
    with open_image(path) as image:
        return needed(image)[0]


def shown(path, tmp_path, limits=None, background="white"):
    convert(path, tmp_path / "out/shown.png", Conversion(background, limits))
    with Image.open(tmp_path / "out/shown.png") as image:
        assert image.format == "PNG" and image.mode in ("L", "RGB") and not image.info
        return np.asarray(image)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_plain_images_need_no_conversion(tmp_path, form):
    for mode in ("L", "RGB"):
        assert reasons(save(photo(1).convert(mode), tmp_path / mode, format=form)) == ""
    opaque = photo(1)
    opaque.putalpha(255)
    assert reasons(save(opaque, tmp_path / "opaque.png")) == ""


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_obeyed(tmp_path, form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if form == "WEBP" else {}
    path = save(photo(1), tmp_path / "image", format=form, exif=exif, **lossless)
    assert reasons(path) == f"EXIF orientation {orientation}"
    plain = save(photo(1), tmp_path / "plain", format=form, **lossless)
    with Image.open(plain) as image:
        image.getexif()[0x0112] = orientation
        np.testing.assert_array_equal(shown(path, tmp_path), np.asarray(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "colour key", "GIF"])
def test_transparency_is_laid_over_the_background(tmp_path, kind):
    black = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    black.paste((0, 0, 0, 255), (5, 5, 10, 10))
    if kind == "GIF":
        path = save(black, tmp_path / "image.gif")
    elif kind == "palette":
        path = save(black.quantize(8), tmp_path / "image.png")
    elif kind == "colour key":
        image = Image.new("RGB", (20, 20), (1, 2, 3))
        image.paste((0, 0, 0), (5, 5, 10, 10))
        path = save(image, tmp_path / "image.png", transparency=(1, 2, 3))
    else:
        path = save(black.convert(kind), tmp_path / "image.png")
    assert reasons(path) == "transparent"
    for background, colour in (("white", (255, 255, 255)), ("#ff0000", (255, 0, 0))):
        pixels = shown(path, tmp_path, background=background)
        assert tuple(pixels[0, 0]) == colour and tuple(pixels[7, 7]) == (0, 0, 0)


def test_deep_grey_is_scaled_by_the_range_of_the_set(tmp_path):
    ramp = np.linspace(0, 4080, 400).reshape(20, 20)
    dark = save(Image.fromarray((ramp / 2).astype(np.uint16)), tmp_path / "dark.png")
    light = save(Image.fromarray(ramp.astype(np.uint16)), tmp_path / "light.tif")
    assert reasons(dark) == reasons(light) == "more than 8 bits"
    limits = deep_range([dark, light])
    assert limits == (0, 4080)
    assert abs(shown(light, tmp_path, limits) - ramp / 16).max() <= 1
    assert abs(shown(dark, tmp_path, limits) - ramp / 32).max() <= 1
    floats = save(Image.fromarray((ramp / 4080 - 3).astype(np.float32)), tmp_path / "float.tif")
    assert abs(shown(floats, tmp_path, deep_range([floats])) - ramp / 16).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_deep_colours_keep_their_lower_bits(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint16)  # of which Pillow sees nothing
    cv2.imwrite(str(tmp_path / f"image.{suffix}"), pixels[..., ::-1])
    path = tmp_path / f"image.{suffix}"
    assert reasons(path) == "more than 8 bits"
    np.testing.assert_array_equal(shown(path, tmp_path, (0, 255)), pixels)


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(tmp_path, form):
    path = save(photo(1).convert("CMYK"), tmp_path / "image", format=form)
    assert reasons(path) == "colours as CMYK"
    with Image.open(path) as image:
        np.testing.assert_array_equal(shown(path, tmp_path), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("form, what", [("TIFF", "pages"), ("GIF", "frames"), ("WEBP", "frames"), ("PNG", "frames")])
def test_of_several_pages_the_first_is_shown(tmp_path, form, what):
    path = save(photo(1), tmp_path / "image", format=form, save_all=True, append_images=[photo(2), photo(3)])
    assert reasons(path) == f"the first of 3 {what}"
    assert np.abs(shown(path, tmp_path).astype(int) - np.asarray(photo(1))).mean() < 20


@pytest.mark.parametrize("form", ["HEIF", "AVIF", "JPEG2000"])
def test_formats_that_frameworks_do_not_read_are_converted(tmp_path, form):
    path = save(photo(1, (64, 48)), tmp_path / "image.jpg", format=form)
    assert reasons(path) == form
    assert np.abs(shown(path, tmp_path).astype(int) - np.asarray(photo(1, (64, 48)))).mean() < 20


def test_large_colour_profiles_are_left_out(tmp_path):
    path = save(photo(1), tmp_path / "image.png", icc_profile=bytes(2_000_000))
    assert reasons(path) == "a colour profile of more than 1 MiB"
    np.testing.assert_array_equal(shown(path, tmp_path), np.asarray(photo(1)))


def test_converted_files_replace_those_that_need_it_for_a_time(tmp_path):
    root = tmp_path / "raw"
    save(photo(1), root / "a/0.png")
    save(photo(2).convert("CMYK"), root / "a/1.jpg")
    rows = pd.DataFrame({"file": ["a/0.png", "a/1.jpg"], "conversion": ["", "colours as CMYK"]})
    with converted(rows, root, Conversion("white")) as paths:
        assert paths[0] == root / "a/0.png" and paths[1].suffix == ".png" and paths[1].is_file()
    assert not Path(paths[1]).exists() and [path.name for path in tmp_path.iterdir()] == ["raw"]


# images that come after the set

def test_the_conversion_of_a_set_is_that_of_later_images(tmp_path):
    root = tmp_path / "raw"
    for number, highest in enumerate((1000, 4080)):
        save(Image.fromarray(np.linspace(0, highest, 400).reshape(20, 20).astype(np.uint16)), root / f"{number}.png")
    rows = pd.DataFrame({"file": ["0.png", "1.png"], "conversion": ["more than 8 bits", "more than 8 bits; other"]})
    of_set = conversion.of_set(rows, root, "red")
    assert of_set == Conversion("red", (0.0, 4080.0))
    conversion.save(of_set, tmp_path / "conversion.json")
    assert conversion.read(tmp_path / "conversion.json") == of_set
    later = save(Image.fromarray(np.full((9, 9), 2040, np.uint16)), tmp_path / "later.png")
    assert set(shown(later, tmp_path, of_set.deep_range).ravel()) == {128}
    beyond = save(Image.fromarray(np.full((9, 9), 9999, np.uint16)), tmp_path / "beyond.png")
    assert set(shown(beyond, tmp_path, of_set.deep_range).ravel()) == {255}


def test_without_deep_images_in_the_set_16_bits_have_the_range_of_their_format_and_other_depths_none(tmp_path):
    of_set = conversion.of_set(pd.DataFrame({"file": ["a.png"], "conversion": [""]}), tmp_path, "white")
    assert of_set == Conversion("white", None)
    conversion.save(of_set, tmp_path / "conversion.json")
    assert conversion.read(tmp_path / "conversion.json") == of_set
    grey = save(Image.fromarray(np.full((9, 9), 128 * 257, np.uint16)), tmp_path / "grey.png")
    assert set(shown(grey, tmp_path).ravel()) == {128}
    floats = save(Image.fromarray(np.full((9, 9), 0.5, np.float32)), tmp_path / "float.tif")
    with pytest.raises(ImageError, match="more than 8 bits, float32: expected 8 or 16.*save it with 8 bits"):
        shown(floats, tmp_path)
