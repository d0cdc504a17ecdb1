"""Metadata saved with a classifier as model.json: class names, input size, precision, how a file becomes pixels."""

import json
from dataclasses import dataclass
from pathlib import Path


class ModelInfoError(ValueError):
    """A folder without a classifier, or with one of another version."""


@dataclass(frozen=True)
class ModelInfo:
    """Class names in the order of the probabilities, the input, and how a file becomes pixels.

    deploy: "first" or "mean", see params.yaml; background, deep_range: see `images.conversion.Conversion`; decode,
    resize: see `recipe.pixels`; device: on which it was trained, "cpu" or the name of a GPU.
    """

    classes: list[str]
    backbone: str
    image_size: int
    precision: str
    deploy: str
    background: str
    deep_range: tuple[float, float] | None
    decode: str
    resize: str
    device: str
    pixels: str = "RGB, 0..255, not normalised: the model does that"


def write(info: ModelInfo, folder: str | Path) -> None:
    """Write `folder`/model.json."""
    text = json.dumps(vars(info), indent=2, ensure_ascii=False)
    (Path(folder) / "model.json").write_text(text + "\n", encoding="utf-8")


def read(folder: str | Path) -> ModelInfo:
    """Read `folder`/model.json; raise ModelInfoError if it is not there or holds something else."""
    path = Path(folder) / "model.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return ModelInfo(**values | {"deep_range": values["deep_range"] and tuple(values["deep_range"])})
    except OSError as error:
        raise ModelInfoError(f"{path}: {error.strerror}; expected a classifier's folder, such as models/keras, which "
                             "`dvc repro` writes") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ModelInfoError(f"{path}: damaged, or of another version ({error}); expected what this version's "
                             "`dvc repro` writes: run it again") from None
