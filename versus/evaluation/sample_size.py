"""How many validation images and seeds show a given difference, from the variances of a finished run."""

from dataclasses import dataclass

from versus.evaluation.intervals import VarianceComponents
from versus.evaluation.power import images_needed, power, seeds_needed

PROBABILITY = 0.8
SEEDS = (3, 10, 30, 100)


@dataclass(frozen=True)
class Plan:
    """What shows a true `difference` in accuracy with a probability of 80 %.

    images_needed: for each number of seeds, -1 where no number of images would. seeds_needed: with the images of the
    run, -1 where no number of seeds would; None with one seed, which shows no variance between seeds.
    """

    difference: float
    images: int
    seeds: int
    probability: float  # that a run like this one shows it
    images_needed: dict[int, int]
    seeds_needed: int | None



def plan(variances: VarianceComponents, difference: float) -> Plan:
    """Plan for a true `difference`, a share of the images; raise ValueError unless it is between 0 and 1."""
    if not 0 < abs(difference) < 1:
        raise ValueError(f"got a difference of {difference!r}; expected a share of the images between 0 and 1: 0.02")
    several = variances.seeds > 1
    numbers = sorted({*SEEDS, variances.seeds} - {1}) if several else [1]
    return Plan(difference, variances.images, variances.seeds,
                float(power(difference, variances, variances.images, variances.seeds)),
                {seeds: images_needed(difference, variances, seeds, probability=PROBABILITY) for seeds in numbers},
                seeds_needed(difference, variances, variances.images, probability=PROBABILITY) if several else None)
