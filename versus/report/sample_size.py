"""How many validation images and seeds tell a difference of so many points, from the variances of the current run.

    python -m versus.howmany 0.02
"""

import argparse

from rich import box
from rich.console import Console
from rich.table import Table

from versus.evaluation import scores
from versus.command import run
from versus.evaluation.comparison import MOST_IMAGES, components, images_needed, power, seeds_needed
from versus.report.console import many

CHANCE = 0.8


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("difference", type=float, help="of the accuracies, as a share of the images: 0.02 is 2 points")
    difference = parser.parse_args().difference
    if not 0 < abs(difference) < 1:
        raise ValueError(f"got a difference of {difference!r}; expected a share of the images between 0 and 1: 0.02")
    keras, torch = (scores.read_predictions(f"data/predictions/{framework}.csv") for framework in ("keras", "torch"))
    scores.check_pair(keras, torch)
    right = [found.probabilities.argmax(axis=2) == found.labels for found in (keras, torch)]
    console = Console(highlight=False)
    for each in plan(components(right[1].astype(float) - right[0], counts=True), difference):
        console.print(each)


def plan(found, difference):
    """Yield a heading, a rich Table and a sentence: what tells a true `difference` with a chance of 80 %."""
    now = power(difference, found, found.images, found.seeds)
    yield f"To tell a difference of {difference:g} in accuracy with a chance of 80 %:"
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("seeds", "validation images"):
        table.add_column(heading, justify="right")
    for seeds in sorted({3, 10, 30, 100, found.seeds} - {1}) if found.seeds > 1 else [1]:
        table.add_row(str(seeds), _number(images_needed(difference, found, seeds, chance=CHANCE)))
    yield table
    if found.seeds > 1:
        seeds = seeds_needed(difference, found, found.images, chance=CHANCE)
        more = f"with these images {f'{seeds:,} seeds' if seeds > 0 else 'no number of seeds'} would do"
    else:
        more = "one seed shows no variance between seeds: this is for these two trained heads; raise train.seeds"
    yield (f"With {many(found.images, 'image')} and {many(found.seeds, 'seed')}, as in this run, "
           f"it is told with a chance of {now:.0%}; {more}.")


def _number(images):
    if images < 0:
        return "no number"
    return f"{images:,}" if images < MOST_IMAGES else f"more than {images:,}"


if __name__ == "__main__":
    run(main)
