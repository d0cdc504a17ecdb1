"""The whole classifier in Keras, pixels to probabilities: assembled, saved, and read back with Keras alone."""

import json
import re
import zipfile
from pathlib import Path

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras

from versus.frameworks.keras import backbone as backbone_keras
from versus.frameworks.keras import head as head_keras

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can hold


def assemble(model, tensors, statistics, weights, widths):
    """Join backbone and head: pixels (n, size, size, 3), RGB, 0..255, to probabilities (n, classes).

    `statistics` are batch norm's running ones where training moved them, `weights` the trained head's.
    """
    backbone = backbone_keras.build(model, tensors, "frozen")
    backbone_keras.move(backbone, statistics)
    head = head_keras.build(widths)
    head.set_weights([tensor for pair in weights for tensor in pair])
    return keras.Model(backbone.input, head(backbone.output), name="classifier")


def save(classifier, folder):
    """Write classifier.keras, and the same as architecture.json and model.weights.h5, as the 2018 article does."""
    folder = Path(folder)
    classifier.save(folder / "classifier.keras")
    _remove_dates(folder / "classifier.keras")
    (folder / "architecture.json").write_text(_number_objects(classifier.to_json(indent=2)) + "\n", encoding="utf-8")
    classifier.save_weights(folder / "model.weights.h5")


def _remove_dates(path):
    """Rewrite a .keras archive without its dates and process-bound ids, so that the same model has the same bytes."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(entries["metadata.json"]) | {"date_saved": "1980-01-01@00:00:00"}
    entries["metadata.json"] = json.dumps(metadata).encode()
    entries["config.json"] = _number_objects(entries["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)


def _number_objects(config):
    """Replace the memory addresses that Keras writes as shared_object_id by numbers in order of appearance."""
    numbers = {}
    return re.sub(r'("shared_object_id": )(\d+)',
                  lambda found: found[1] + str(numbers.setdefault(found[2], len(numbers))), config)


def load(folder):
    """Read classifier.keras; return the classifier and, as a part of it, its backbone."""
    classifier = keras.saving.load_model(Path(folder) / "classifier.keras")
    return classifier, keras.Model(classifier.input, classifier.layers[-2].output, name="backbone")
