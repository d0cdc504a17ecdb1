"""Show images that both competitors get right or wrong, cannot decide or disagree about: python -m stages.gallery."""

import sys

from versus.artifacts import metrics, predictions_csv
from versus.artifacts.predictions import pair
from versus.command import run
from versus.evaluation.gallery import GROUPS, groups, table
from versus.frameworks import competitor
from versus.report import gallery


def main(first, second):
    names = (first, second)
    titles = tuple(competitor(name).title for name in names)
    both = pair(*(predictions_csv.read(f"data/predictions/{name}.csv") for name in names), titles)
    images = groups(*both)
    shown = {name: members[:gallery.MOST] for name, members in images.items()}
    metrics.write_table("metrics/gallery.csv", table(shown, dict(zip(names, both))))
    for group in GROUPS:
        sheet = gallery.draw(group, images[group.name], both, titles, f"data/split/{both[0].part}")
        sheet.save(f"metrics/gallery/{group.name}.png", gallery.GAP)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
