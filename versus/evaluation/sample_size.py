"""How many validation images and seeds show a given difference, from the variances of a finished run."""

from math import ceil

from versus.artifacts.predictions import Predictions
from versus.evaluation.cells import ones
from versus.evaluation.findings import MOST_UNITS, Plan
from versus.evaluation.intervals import by_unit, variance_components
from versus.evaluation.power import power, seeds_needed, units_needed

SEEDS = (3, 10, 30, 100)


def plan(one: Predictions, other: Predictions, difference: float) -> Plan:
    """Plan for a true `difference`, a share of the images; raise ValueError unless it is between 0 and 1."""
    if not 0 < abs(difference) < 1:
        raise ValueError(f"got a difference of {difference!r}; expected a share of the images between 0 and 1: 0.02")
    cells, bounds = (by_unit(values, one.units) for values in (
        other.correct.astype(float) - one.correct, ones(one)[None]))
    variances = variance_components(cells, bounds[0])
    several = variances.seeds > 1
    numbers = sorted({*SEEDS, variances.seeds} - {1}) if several else [1]
    images = len(one.files)

    def images_needed(seeds: int) -> int:
        needed = units_needed(difference, variances, seeds)
        return min(ceil(needed * images / variances.units), MOST_UNITS) if needed > 0 else needed

    return Plan(difference, images, variances.units, variances.seeds,
                float(power(difference, variances, variances.units, variances.seeds)),
                {seeds: images_needed(seeds) for seeds in numbers},
                seeds_needed(difference, variances, variances.units) if several else None)
