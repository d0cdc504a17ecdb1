"""Metadata saved with a classifier as model.json: class names, input size, precision, decoding."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelInfo:
    """Class names in the order of the probabilities, the input, and how a file becomes pixels (`recipe.pixels`)."""

    classes: list[str]
    backbone: str
    image_size: int
    precision: str
    decode: str
    resize: str
    pixels: str = "RGB, 0..255, not normalised: the model does that"


def write(info: ModelInfo, folder: str | Path) -> None:
    """Write `folder`/model.json."""
    text = json.dumps(vars(info), indent=2, ensure_ascii=False)
    (Path(folder) / "model.json").write_text(text + "\n", encoding="utf-8")


def read(folder: str | Path) -> ModelInfo:
    """Read `folder`/model.json."""
    return ModelInfo(**json.loads((Path(folder) / "model.json").read_text(encoding="utf-8")))
