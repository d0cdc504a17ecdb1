"""How a saved classifier is loaded and applied with its framework alone, in five lines that repeat its conventions."""

from versus.artifacts.model_info import ModelInfo

FILE = "image.jpg"
IMPORTS = {"np.": "numpy as np", "Image.": "PIL.Image as Image", "simplejpeg.": "simplejpeg", "keras.": "keras",
           "tf.": "tensorflow as tf", "torch.": "torch"}
OPENED = f'Image.open("{FILE}").convert("RGB")'
PILLOW = {"antialiased": "BILINEAR", "nearest": "NEAREST"}


def usage(framework: str, info: ModelInfo) -> str:
    """Return Python code that classifies image.jpg, run in the classifier's folder."""
    lines = (_keras if framework == "keras" else _torch)(info)
    code = "\n".join(lines)
    imports = ", ".join(module for use, module in IMPORTS.items() if use in code)
    return f"import {imports}\n{code}"


def _keras(info: ModelInfo) -> list[str]:
    size = (info.image_size,) * 2
    if info.decode == "fast":
        image = f'tf.io.decode_image(tf.io.read_file("{FILE}"), channels=3, expand_animations=False)'
    else:
        image = f"np.asarray({OPENED})"
    if info.resize == "interpolated":
        pixels = f"tf.image.resize(image, {size})[None]"
    else:
        opened = "Image.fromarray(np.asarray(image))"
        pixels = f'np.asarray({opened}.resize({size}, Image.Resampling.{PILLOW[info.resize]}), "float32")[None]'
    return ['classifier = keras.saving.load_model("classifier.keras")', f"image = {image}", f"pixels = {pixels}",
            f"print(dict(zip({info.classes!r}, classifier.predict(pixels, verbose=0)[0].tolist())))"]


def _torch(info: ModelInfo) -> list[str]:
    size = (info.image_size,) * 2
    image = OPENED
    if info.decode == "fast":
        image = f'Image.fromarray(simplejpeg.decode_jpeg(open("{FILE}", "rb").read(), "RGB", True, False))'
    if info.resize == "interpolated":
        pixels = ("torch.nn.functional.interpolate(torch.tensor(np.asarray(image)).permute(2, 0, 1)[None]."
                  f'float(), {size}, mode="bilinear")')
    else:
        image += f".resize({size}, Image.Resampling.{PILLOW[info.resize]})"
        pixels = "torch.tensor(np.asarray(image)).permute(2, 0, 1)[None].float()"
    return ['classifier = torch.export.load("classifier.pt2").module()', f"image = {image}", f"pixels = {pixels}",
            f"print(dict(zip({info.classes!r}, classifier(pixels.{'double' if info.precision == 'float64' else 'float'}"
            "())[0].tolist())))"]
