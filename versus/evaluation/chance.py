"""How much two training runs of the same competitor differ by chance: counted over pairs of seeds."""

import numpy as np
from scipy.special import ndtri

CLOSE = 1e-9  # accuracies are multiples of 1/images, but for rounding


def chance_of_gap(accuracies: np.ndarray, gap: float) -> tuple[float, float, float]:
    """Return the share of pairs of runs whose accuracies differ by `gap` or more: (share, low, high).

    low, high: its 95 % interval. accuracies: of one competitor's runs, (seeds,), two or more. Pairs share their runs,
    so the interval is Wilson's (1927) for as many independent pairs as have the same variance, share (1 - share) /
    variance, by the jackknife over seeds (Efron & Stein 1981); at most one a seed. Where the jackknife shows no
    variance, there are seeds/2.

    >>> chance_of_gap(np.array([0.90, 0.90, 0.94]), 0.035)[0]
    0.6666666666666666
    """
    seeds = len(accuracies)
    apart = np.abs(accuracies[:, None] - accuracies) >= gap - CLOSE  # (seeds, seeds)
    np.fill_diagonal(apart, False)
    share, variance = apart.sum() / (seeds * (seeds - 1)), 0.0
    if seeds > 2:
        without = (apart.sum() - 2 * apart.sum(axis=1)) / ((seeds - 1) * (seeds - 2))  # (seeds,), each left out
        variance = (seeds - 1) / seeds * ((without - without.mean()) ** 2).sum()
    pairs = np.clip(share * (1 - share) / variance, 2, seeds) if variance > 1e-12 else seeds / 2
    square = ndtri(0.975) ** 2 / pairs
    centre, half = share + square / 2, np.sqrt(square * (share * (1 - share) + square / 4))
    return float(share), float(max((centre - half) / (1 + square), 0)), float(min((centre + half) / (1 + square), 1))
