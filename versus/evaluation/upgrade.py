"""Does a run with other versions of the libraries give what the reference gave? Judged competitor by competitor.

The runs have the same seeds and the same images, so they are paired by both, as two competitors are in `comparison`.
"""

from dataclasses import dataclass, field

import numpy as np

from versus import params
from versus.artifacts.predictions import Predictions
from versus.artifacts.references import Reference, Results
from versus.evaluation.comparison import EQUIVALENT, UNDECIDED, verdict
from versus.evaluation.intervals import Estimate, estimate

BYTES, ROUNDING, CONVERGES, DIFFERS, UNCLEAR = "bytes", "rounding", "converges", "differs", "unclear"
ORDER = (BYTES, ROUNDING, CONVERGES, UNCLEAR, DIFFERS)  # of several outcomes the last one counts
LOG_LOSS_TOLERANCE = 1e-3  # relative: about what rounding does to heads at float32, see docs/parity.md


@dataclass(frozen=True)
class Change:
    """What became of one competitor's results."""

    outcome: str
    accuracy: tuple[float, float]      # mean of the seeds: reference, now
    difference: Estimate | None = None  # of the accuracy, now minus reference; None if there is none


@dataclass(frozen=True)
class Upgrade:
    """A run compared with a reference."""

    outcome: str
    changes: dict[str, Change] = field(default_factory=dict)   # by competitor; {} if the runs cannot be compared
    obstacles: list[str] = field(default_factory=list)          # why they cannot


def compare(reference: Reference, now: Reference, predictions: dict[str, Predictions],
            settings: params.Compare) -> Upgrade:
    """Compare the run `now`, whose `predictions` are given by competitor, with a reference."""
    if obstacles := _obstacles(reference, now):
        return Upgrade(UNCLEAR, obstacles=obstacles)
    changes = {name: _change(reference, now, name, predictions[name], settings) for name in reference.results}
    return Upgrade(max((change.outcome for change in changes.values()), key=ORDER.index), changes)


def _obstacles(reference: Reference, now: Reference) -> list[str]:
    """List what the two differ in that is no version: each alone would explain other results."""
    obstacles = [f"{key}: {now.params.get(key, 'missing')!r} instead of {reference.params.get(key, 'missing')!r}"
                 for key in sorted(reference.params.keys() | now.params.keys())
                 if reference.params.get(key) != now.params.get(key)]
    if reference.results.keys() != now.results.keys():
        obstacles.append(f"competitors: {', '.join(now.results)} instead of {', '.join(reference.results)}")
    if reference.images != now.images:
        obstacles.append("the images of data/split, or their parts, are others")
    elif reference.part != now.part:
        obstacles.append(f"predictions of the {now.part} images instead of the {reference.part} images")
    return obstacles


def _change(reference: Reference, now: Reference, name: str, predictions: Predictions,
            settings: params.Compare) -> Change:
    before, after = reference.results[name], now.results[name]
    accuracy = float(np.mean(before.accuracy)), float(np.mean(after.accuracy))
    if reference.computed(name) == now.computed(name):
        return Change(BYTES, accuracy)
    if _same_up_to_rounding(before, after):
        return Change(ROUNDING, accuracy)
    differences = predictions.correct.astype(float) - before.correct(predictions.files)
    difference = estimate(differences, settings, predictions.units, 1.0)
    decision = verdict(difference.interval(), difference.equivalence_interval, settings.margin)
    return Change({EQUIVALENT: CONVERGES, UNDECIDED: UNCLEAR}.get(decision, DIFFERS), accuracy, difference)


def _same_up_to_rounding(before: Results, after: Results) -> bool:
    """Whether each seed gets the same images wrong, and its log loss is the same but for rounding."""
    return before.wrong == after.wrong and bool(np.allclose(after.log_loss, before.log_loss, LOG_LOSS_TOLERANCE, 0))
