"""ONNX files, and the page that uses them: what they say of images is what the saved classifiers say."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.helpers.browser import CHROMIUM, chromium, classify, served
from tests.helpers.cases import photo, save
from tests.helpers.paths import ROOT
from tests.helpers.processes import PATIENT
from versus import params
from versus.artifacts import model_info
from versus.recipe import pixels
from versus.report import try_page

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxscript")


def session(model):
    return onnxruntime.InferenceSession(model if isinstance(model, bytes) else str(model),
                                        providers=["CPUExecutionProvider"])


SIZES = [(96, 96), (150, 250), (301, 199), (31, 40), (40, 31), (97, 640), (640, 97), (97, 98), (97, 99), (120, 144),
         (120, 145), (1, 1), (2, 500), (96, 300), (300, 96)]


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("resize", pixels.RESIZES)
def test_the_resize_inside_is_that_of_training_bit_by_bit(resize, channels_first):
    """Of noise, where no rounding is hidden: wide and tall ones, on both sides of where Pillow changes the order."""
    from versus.frameworks.onnx_resize import resize_graph
    model = onnx.helper.make_model(resize_graph(resize, 96, channels_first), ir_version=9,
                                   opset_imports=[onnx.helper.make_opsetid("", 18)])
    running = session(model.SerializeToString())
    for width, height in SIZES:
        image = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
        resized, = running.run(None, {"image": image[None]})
        own = resized[0].transpose(1, 2, 0) if channels_first else resized[0]
        np.testing.assert_array_equal(own, pixels.resize(image, 96, resize), f"{width} x {height}")


@pytest.fixture(scope="module")
def exported(saved_classifiers, tmp_path_factory):
    """A folder with both classifiers as ONNX files, and what the command printed."""
    models, images = saved_classifiers
    folder = tmp_path_factory.mktemp("exported")
    done = subprocess.run([sys.executable, "-m", "versus", "export", "--models", str(models), "--images",
                           str(images[0].parent), "--output", str(folder)], text=True, capture_output=True, cwd=folder,
                          env=os.environ | PATIENT | {"PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stderr) == (0, "")
    return folder, done.stdout


@pytest.mark.parametrize("framework", params.FRAMEWORKS)
def test_an_exported_classifier_says_what_the_original_says(saved_classifiers, exported, framework):
    models, images = saved_classifiers
    folder, printed = exported
    path = folder / f"{framework}.onnx"
    line, = [line for line in printed.splitlines() if path.name in line]
    assert "opset 18" in line and "on 6 images" in line and "the class in 0" in line
    assert sorted(each.name for each in folder.glob("*.*")) == ["keras.onnx", "torch.onnx"]  # each all in one file
    running = session(path)
    (given,), (returned,) = running.get_inputs(), running.get_outputs()
    assert (given.name, given.type, given.shape[3], returned.name) == ("image", "tensor(uint8)", 3, "probabilities")
    assert running.get_modelmeta().custom_metadata_map["classes"] == '["cat", "dog", "owl"]'
    decode = "fast" if framework == "keras" else "accurate"
    said = np.concatenate([running.run(None, {"image": pixels.decode(image, decode)[None]})[0] for image in images])
    np.testing.assert_allclose(said, np.load(models / f"{framework}.npy"), atol=1e-5)
    several = np.stack([pixels.decode(images[0], decode)] * 3)
    assert running.run(None, {"image": several})[0].shape == (3, 3)


# the page

@pytest.mark.skipif(not CHROMIUM or not shutil.which("npm"), reason="needs Chromium and npm")
def test_the_page_says_in_chromium_what_python_says(saved_classifiers, exported, tmp_path):
    """Wide, tall, turned, transparent; what is no image is said to be none. Nothing leaves the page."""
    models, _ = saved_classifiers
    page, folder = tmp_path / "page", tmp_path / "images"
    try:
        try_page.copy_runtime(None, page / "onnxruntime")
    except try_page.PageError as error:
        pytest.skip(str(error))
    for path in exported[0].glob("*.onnx"):
        shutil.copy(path, page)
    try_page.write_files({name: model_info.read(models / name) for name in params.FRAMEWORKS}, page)
    exif = Image.Exif()
    exif[0x0112] = 6
    image = photo(1, (90, 300))
    see_through = photo(2, (120, 80)).convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize(see_through.size).point(lambda value: value // 128 * 255))
    for name, each, others in (("tall ä&b.png", image, {}), ("turned.png", image, {"exif": exif}),
                               ("see-through.png", see_through, {}), ("wide.png", photo(4, (700, 90)), {})):
        save(each, folder / name, **others)
    (folder / "text.png").write_text("no image")
    paths = sorted(folder.iterdir())
    with served(page) as address, chromium(address) as opened:
        *articles, of_camera = classify(opened.page, paths)
        assert not opened.said and not opened.wide
    own = {address, *(address + path.relative_to(page).as_posix() for path in page.rglob("*.*"))}
    assert {url for url in opened.asked if not url.startswith(("blob:", "data:"))} <= own
    assert of_camera["name"] == "Photo" and {*of_camera["tables"]} == {"Keras", "PyTorch"}
    assert [article["name"] for article in articles] == [path.name for path in paths]
    done = subprocess.run([sys.executable, "-m", "versus", "predict", str(folder), "--models", str(models), "--json",
                           "-", "--top", "3"], text=True, capture_output=True, cwd=tmp_path,
                          env=os.environ | PATIENT | {"PYTHONPATH": str(ROOT)})
    for article, line in zip(articles, done.stdout.splitlines(), strict=True):
        said = json.loads(line)
        assert bool(article["problem"]) == ("problem" in said) == (article["name"] == "text.png")
        for title, framework in (("Keras", "keras"), ("PyTorch", "torch")):
            if not article["problem"]:
                expected = {each["class"]: each["probability"] for each in said[framework]}
                assert article["tables"][title] == pytest.approx(expected, abs=6e-4), article["name"]


def test_a_package_that_is_none_is_said(tmp_path):
    (tmp_path / "what.tgz").write_bytes(b"nothing")
    with pytest.raises(try_page.PageError, match="what.tgz: cannot be used .no .tgz archive.; expected the npm"):
        try_page.copy_runtime(tmp_path / "what.tgz", tmp_path / "page")
    assert not (tmp_path / "page").exists()
