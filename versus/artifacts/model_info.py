"""What a program must know to use a saved classifier: it travels beside the model as model.json."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Card:
    """Class names in the order of the probabilities, the input, and how a file becomes pixels (see `versus.pixels`)."""

    classes: list
    backbone: str
    image_size: int
    precision: str
    decode: str
    resize: str
    pixels: str = "RGB, 0..255, not normalised: the model does that"


def write(card, folder):
    """Write `folder`/model.json."""
    text = json.dumps(vars(card), indent=2, ensure_ascii=False)
    (Path(folder) / "model.json").write_text(text + "\n", encoding="utf-8")


def read(folder):
    """Read `folder`/model.json."""
    return Card(**json.loads((Path(folder) / "model.json").read_text(encoding="utf-8")))
