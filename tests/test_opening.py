"""Image files are opened in one place, in formats that Pillow decodes itself, and not if they are too large."""

import ast
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from versus.images import opening
from versus.images.opening import ImageError, is_jpeg, open_image

PACKAGE = Path(opening.__file__).parents[1]


def saved(path, size=(300, 200), form=None):
    Image.new("RGB", size, "red").save(path, form)
    return path


@pytest.mark.parametrize("form", opening.FORMATS)
def test_each_format_is_opened_whatever_the_name(tmp_path, form):
    with open_image(saved(tmp_path / "image.dat", form=form)) as image:
        assert (image.format, image.size) == (form, (300, 200))
        image.load()


@pytest.mark.parametrize("form", ["EPS", "PDF", "ICO", "TGA"])
def test_other_formats_are_not_identified(tmp_path, form):
    with pytest.raises(UnidentifiedImageError):
        open_image(saved(tmp_path / "image.png", form=form))


def test_other_errors_of_pillow_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_image(tmp_path / "missing.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(UnidentifiedImageError):
        open_image(tmp_path / "text.png")


@pytest.mark.parametrize("action", ["ignore", "default", "error"])
@pytest.mark.parametrize("limit", [59_999, 20_000])  # of 60,000 pixels: Pillow warns, or raises
def test_too_large_images_are_refused_whatever_is_done_with_warnings(tmp_path, monkeypatch, limit, action):
    path = saved(tmp_path / "image.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with warnings.catch_warnings(record=True, action=action), pytest.raises(ImageError) as caught:
        open_image(path)
    assert str(caught.value) == f"too large: more than {limit} pixels"


@pytest.mark.parametrize("limit", [60_000, None])
def test_images_up_to_the_limit_are_opened(tmp_path, monkeypatch, limit):
    path = saved(tmp_path / "image.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with open_image(path) as image:
        assert image.size == (300, 200)


def test_refusing_a_large_image_prints_no_warning(tmp_path):
    program = ("import sys; from PIL import Image; from versus.images.opening import ImageError, open_image\n"
               "Image.MAX_IMAGE_PIXELS = 59_999\n"
               "try: open_image(sys.argv[1])\n"
               "except ImageError as error: print(error)\n")
    done = subprocess.run([sys.executable, "-c", program, saved(tmp_path / "image.png")], cwd=PACKAGE.parent,
                          capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("too large: more than 59999 pixels\n", "")


def test_jpeg_files_are_recognised_by_their_content(tmp_path):
    assert is_jpeg(saved(tmp_path / "really.png", form="JPEG"))
    assert not is_jpeg(saved(tmp_path / "not_really.jpg", form="PNG"))
    (tmp_path / "empty.jpg").touch()
    assert not is_jpeg(tmp_path / "empty.jpg")


def opens_by_pillow(text):
    """Whether a program calls Image.open, or imports it under a name of its own."""
    tree, modules = ast.parse(text), {"PIL.Image"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname for alias in node.names if alias.name == "PIL.Image" and alias.asname}
        if isinstance(node, ast.ImportFrom) and node.module == "PIL":
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "Image"}
        if isinstance(node, ast.ImportFrom) and node.module == "PIL.Image":
            if any(alias.name in ("open", "*") for alias in node.names):
                return True
    return any(isinstance(node, ast.Attribute) and node.attr == "open" and ast.unparse(node.value) in modules
               for node in ast.walk(tree))


@pytest.mark.parametrize(("text", "opens"), [
    ("from PIL import Image\nImage.open('x')", True),
    ("from PIL import Image as pillow\npillow.open('x')", True),
    ("import PIL.Image\nPIL.Image.open('x')", True),
    ("import PIL.Image as I\nlist(map(I.open, 'xy'))", True),
    ("from PIL.Image import open as load\nload('x')", True),
    ("from PIL import Image\nImage.new('L', (1, 1)); open('x')", False),
])
def test_calls_of_image_open_are_recognised(text, opens):
    assert opens_by_pillow(text) == opens


def test_no_other_module_opens_image_files():
    assert opens_by_pillow(Path(opening.__file__).read_text(encoding="utf-8"))
    others = [path for path in PACKAGE.rglob("*.py") if path != Path(opening.__file__)]
    assert len(others) > 10
    assert [path for path in others if opens_by_pillow(path.read_text(encoding="utf-8"))] == []
