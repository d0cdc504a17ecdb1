"""All heads as one classifier: their mean probabilities, and what that gains over a single head."""

from versus import params
from versus.artifacts.predictions import Predictions
from versus.evaluation.cells import CELLS
from versus.evaluation.intervals import estimate

SCORES = ("accuracy", "log_loss")


def summary(predictions: Predictions, settings: params.Compare) -> dict[str, float]:
    """Score the mean of all seeds' probabilities: ensemble_accuracy and ensemble_log_loss.

    With the suffix `_gain` their difference to the mean score of the seeds, paired by image, and its 95 % interval: a
    gain above 0 in accuracy, below 0 in log loss is one. Seeds and images are sampled, the ensemble is the one of these
    seeds.
    """
    result: dict[str, float] = {}
    mean = predictions.deployed("mean")
    for name in SCORES:
        cells, bounds = CELLS[name]
        of_mean, of_seeds = cells(mean), cells(predictions)
        assert of_mean is not None and of_seeds is not None  # both scores are defined for any images
        gain = estimate(of_mean - of_seeds, settings, predictions.units, bounds(predictions) if bounds else None)
        low, high = gain.interval()
        key = f"ensemble_{name}"
        result |= {key: float(of_mean.mean()), f"{key}_gain": gain.mean, f"{key}_gain_low": low,
                   f"{key}_gain_high": high}
    return result
