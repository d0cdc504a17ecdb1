"""The whole classifier in Keras, pixels to probabilities: assembled, saved, and read back with Keras alone."""

import json
import re
import zipfile
from pathlib import Path

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras

from versus import params
from versus.artifacts.features import Statistics
from versus.artifacts.heads import Head
from versus.frameworks.keras import backbone as backbones
from versus.frameworks.keras import head as heads
from versus.recipe.weights import Pretrained

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can hold


def assemble(model: params.Model, pretrained: Pretrained, statistics: Statistics, weights: list[Head],
             widths: list[int]) -> keras.Model:
    """Join backbone and heads: pixels (n, size, size, 3), RGB, 0..255, to probabilities (n, classes), the heads' mean.

    `statistics` are batch norm's running ones where training changed them, `weights` each trained head's.
    """
    backbone = backbones.build(model, pretrained, "saved")
    backbones.set_statistics(backbone, statistics)
    outputs = []
    for number, of_head in enumerate(weights):
        head = heads.build(widths)
        head.name += str(number or "")
        head.set_weights([tensor for pair in of_head for tensor in pair])
        outputs.append(head(backbone.output))
    mean = keras.layers.Average(name="mean")(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(backbone.input, mean, name="classifier")


def save(classifier: keras.Model, folder: str | Path) -> None:
    """Write classifier.keras, and the same as architecture.json and model.weights.h5, as the 2018 article does."""
    folder = Path(folder)
    classifier.save(folder / "classifier.keras")
    _remove_dates(folder / "classifier.keras")
    (folder / "architecture.json").write_text(_number_objects(classifier.to_json(indent=2)) + "\n", encoding="utf-8")
    classifier.save_weights(folder / "model.weights.h5")


def _remove_dates(path: Path) -> None:
    """Rewrite a .keras archive without dates and memory addresses, so that the same model has the same bytes."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(entries["metadata.json"]) | {"date_saved": "1980-01-01@00:00:00"}
    entries["metadata.json"] = json.dumps(metadata).encode()
    entries["config.json"] = _number_objects(entries["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)


def _number_objects(config: str) -> str:
    """Replace the memory addresses that Keras writes as shared_object_id by numbers in order of appearance."""
    numbers: dict[str, int] = {}
    return re.sub(r'("shared_object_id": )(\d+)',
                  lambda match: match[1] + str(numbers.setdefault(match[2], len(numbers))), config)


def load(folder: str | Path) -> tuple[keras.Model, keras.Model]:
    """Read classifier.keras; return the classifier and, as a part of it, its backbone."""
    classifier = keras.saving.load_model(Path(folder) / "classifier.keras")
    pool = next(layer for layer in classifier.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D))
    return classifier, keras.Model(classifier.input, pool.output, name="backbone")
