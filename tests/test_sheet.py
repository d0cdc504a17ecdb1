"""Sheets of images and text: sizes, names of any script, and what is saved."""

import unicodedata

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image

from versus.report import sheet
from versus.report.sheet import Font, Sheet, cut, fit, length, wrap

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"


@pytest.mark.parametrize("size, expected", [
    ((8, 8), (160, 160)), ((100, 60), (200, 120)), ((150, 90), (150, 90)), ((3000, 20), (264, 2)),
    ((5000, 1), (264, 1)), ((20, 3000), (1, 160)), ((528, 320), (264, 160))])
def test_an_image_fits_into_its_box(size, expected):
    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    fitted = fit(image, 264, 160)
    assert fitted.shape == (expected[1], expected[0], 3)


def test_pixels_of_a_tiny_image_stay_visible():
    image = np.random.default_rng(0).integers(0, 256, (2, 2, 3), np.uint8)
    fitted = fit(image, 100, 60)
    assert np.array_equal(fitted[::30, ::30], image) and len(np.unique(fitted.reshape(-1, 3), axis=0)) == 4


@pytest.mark.parametrize("text", [LONG, "外星人" * 20, "🚀" * 30, "a", "", "Ελληνικά " * 9])
@pytest.mark.parametrize("width", [20, 60, 200])
def test_a_long_name_is_cut_in_its_middle(text, width):
    shorter = cut(text, width)
    assert length(shorter) <= width and (shorter == text or "…" in shorter)
    if len(shorter) > 3 and shorter != text:
        head, tail = shorter.split("…")
        assert text.startswith(head) and text.endswith(tail) and abs(len(head) - len(tail)) <= 1


def test_lines_are_no_wider_than_asked():
    lines = wrap(f"a few words and {LONG * 3} and more", 200, Font(13))
    assert all(length(line, Font(13)) <= 200 for line in lines) and len(lines) == 3
    assert " ".join(lines).startswith("a few words and Donau") and "…" in lines[1]


def test_a_name_in_two_normal_forms_looks_the_same():
    assert sheet._parts("Überma\u0308ßig", False) == sheet._parts("Übermäßig", False)


def test_characters_without_a_font_are_written_as_numbers(monkeypatch):
    monkeypatch.setattr(sheet, "_other_font", lambda character: None)
    assert "".join(text for _, text in sheet._parts("a外\t🚀", False)) == "aU+5916 U+1F680"


def test_characters_are_set_in_another_font_that_has_them(monkeypatch):
    own = sheet._parts("a", False)[0][0]
    other = own.replace("DejaVuSans.ttf", "STIXGeneral.ttf")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: ["/no/such/font.ttf", other])
    sheet._other_font.cache_clear()
    lacking = map(chr, sorted(sheet._characters(other) - sheet._characters(own)))
    character = next(each for each in lacking if unicodedata.category(each) == "Sm")  # mathematics
    assert sheet._parts(f"a{character}b", False) == [(own, "a"), (other, character), (own, "b")]
    page = Sheet(100, 40)
    page.write(f"a{character}b", 0, 0)
    sheet._other_font.cache_clear()


def test_a_sheet_is_cut_below_what_is_on_it(tmp_path):
    page = Sheet(300, 900)
    page.write("text", 10, 50)
    page.save(tmp_path / "folder/page.png", 7)
    assert Image.open(tmp_path / "folder/page.png").size == (300, 50 + Font().line + 7)


def test_text_stands_where_it_should(tmp_path):
    page = Sheet(300, 100)
    page.write("right", 300, 20, anchor="right")
    page.write("left", 0, 60)
    dark = np.argwhere(np.asarray(page.image).min(axis=2) < 200)
    rows, columns = dark[:, 0], dark[:, 1]
    assert columns[rows < 50].max() >= 290 and rows[rows < 50].min() >= 20 and columns[rows > 50].min() <= 3


def test_a_large_sheet_gets_256_colours_and_keeps_those_of_text(tmp_path):
    page = Sheet(1100, 1300)
    page.write("█" * 10, 10, 10, Font(20), sheet.COLOURS[0])
    noise = np.random.default_rng(0).integers(0, 256, (900, 1000, 3), np.uint8)
    page.lay(noise, 50, 100)
    page.save(tmp_path / "page.png", 10)
    page.save(tmp_path / "again.png", 10)
    assert (tmp_path / "page.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    saved = Image.open(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size < sheet.LIMIT and saved.mode == "P"
    pixels = np.asarray(saved.convert("RGB"))
    assert (pixels[:5] == 255).all() and (pixels[:60] == (0x00, 0x72, 0xb2)).all(axis=2).sum() > 1000
    assert np.abs(pixels[100:1000, 50:1050].astype(float).mean((0, 1)) - noise.mean((0, 1))).max() < 3
