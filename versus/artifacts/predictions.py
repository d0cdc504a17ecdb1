"""The validation images' probabilities: checked against those of training, and written for the scores."""

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}  # of a probability; rounding of other batches moves less


class PredictionError(ValueError):
    """Predictions of the saved classifier that are not those of training."""


def check(found, expected, what):
    """Raise PredictionError unless two arrays of probabilities agree to their precision; `what` names the second."""
    expected = np.asarray(expected)
    difference = np.abs(found - expected).max() if found.shape == expected.shape else np.inf
    if not difference <= TOLERANCE[str(expected.dtype)]:
        raise PredictionError(f"got probabilities {found.shape} that differ by {difference:.3g} from {what} "
                              f"{expected.shape}; expected at most {TOLERANCE[str(expected.dtype)]:g}: model and "
                              "features are not of one run; run `dvc repro -f`")


def recorded(path):
    """Read the probabilities (seeds, images, classes) that training wrote down with its losses."""
    return load_file(path)["probabilities"]


def write(found, validation, path):
    """Write probabilities (seeds, images, classes) as rows of seed, file, class and one p_<class> a class."""
    frames = []
    for seed, probabilities in enumerate(found):
        frame = pd.DataFrame(probabilities, columns=[f"p_{name}" for name in validation.classes])
        frame.insert(0, "seed", seed)
        frame.insert(1, "file", validation.names)
        frame.insert(2, "class", [validation.classes[label] for label in validation.labels])
        frames.append(frame)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pd.concat(frames).to_csv(path, index=False)
