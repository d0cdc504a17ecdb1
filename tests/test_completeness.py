"""Whether corners are the native runs: by pixels, features, running statistics and predictions, in this order.

`test_parity.py` plants faults in real runs.
"""

from dataclasses import replace

import numpy as np
import pytest

from versus.artifacts.features import Features
from versus.artifacts.predictions import Predictions
from versus.evaluation import completeness
from versus.evaluation.completeness import Corner

RNG = np.random.default_rng(0)
FEATURES = Features(RNG.normal(size=(2, 6, 4)), {"validation": RNG.normal(size=(1, 200, 4))},
                    [{"bn1.running_var": np.ones(3)}])
PROBABILITIES = RNG.dirichlet([1, 1], (10, 200))
PREDICTIONS = Predictions(tuple(range(10)), tuple(map(str, range(200))), ("a", "b"), np.zeros(200, int), PROBABILITIES)
SAME = Corner((FEATURES, FEATURES), True, (PREDICTIONS, PREDICTIONS))


def other(**changes):
    """A corner whose native run has other features."""
    return replace(SAME, features=(FEATURES, replace(FEATURES, **changes)))


def predicting(probabilities):
    """A corner whose native run has other predictions."""
    return replace(SAME, predictions=(PREDICTIONS, PREDICTIONS.with_probabilities(probabilities)))


def moved(seeds, away):
    """The probabilities, those of some seeds moved by `away`."""
    probabilities = PROBABILITIES.copy()
    probabilities[:seeds] += np.array([away, -away])
    return probabilities


@pytest.mark.parametrize("corner, stage", [
    (SAME, ""), (replace(SAME, same_pixels=False), "pixels"),
    (other(augmented=FEATURES.augmented * (1 + 5e-5)), ""), (other(augmented=FEATURES.augmented * 1.001), "features"),
    (other(plain={"validation": FEATURES.plain["validation"] * 1.001}), "features"),
    (other(plain={"validation": np.ones((2, 200, 4))}), "features"),
    (other(statistics=[{"bn1.running_var": np.full(3, 1.01)}]), "features"), (other(statistics=[]), "features"),
    # one seed may diverge by rounding, the median one may not
    (predicting(moved(1, 5e-3)), ""), (predicting(moved(9, 5e-3)), "heads"), (predicting(moved(10, 1e-4)), ""),
    (predicting(PROBABILITIES[..., ::-1]), "heads"),
])
def test_the_first_stage_that_differs_is_named(corner, stage):
    judged = completeness.judge((SAME, corner))
    assert judged.stage == stage and judged.complete == (not stage) and judged.competitor == (1 if stage else 0)


def test_the_earlier_of_two_stages_is_named_with_its_competitor():
    judged = completeness.judge((predicting(PROBABILITIES[..., ::-1]), other(augmented=FEATURES.augmented * 2)))
    assert (judged.stage, judged.competitor) == ("features", 1)
    assert (judged.classes, judged.predictions) == (2000, 4000)
