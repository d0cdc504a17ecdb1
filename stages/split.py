"""Split the images into training and validation: data/split, data/split.csv, metrics/split.json."""

import shutil
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from versus import params
from versus.artifacts import metrics
from versus.command import run
from versus.images import inspection, splitting
from versus.images.duplicates import near_duplicates


def main():
    settings = params.load()
    raw = inspection.read("data/raw.csv")
    usable = np.flatnonzero(raw.problem == "")
    duplicates = near_duplicates([Path("data/raw", file) for file in raw.file[usable]]).among(usable, len(raw))
    table = splitting.split(raw, duplicates, settings.split)
    copied = table[table.path != ""]
    for row in tqdm(copied.itertuples(), "copy", len(copied), unit="image", disable=None):
        target = Path("data/split", row.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path("data/raw", row.file), target)
    splitting.save(table, "data/split.csv")
    counts = splitting.counts(table, raw)
    metrics.write("metrics/split.json", counts)
    print(splitting.summary(counts))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
