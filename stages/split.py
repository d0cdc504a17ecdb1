"""Split the images into training, validation and test: data/split and data/split.csv.

data/conversion.json says how images were converted, metrics/details/split.json what came of all.
"""

import sys
from pathlib import Path

from tqdm import tqdm

from versus import params
from versus.artifacts import metrics
from versus.command import run
from versus.images import conversion, joining, splitting, tables
from versus.images.duplicates import near_duplicates
from versus.images.files import copy_file


def main():
    settings = params.load()
    raw = tables.images_of(tables.read("data/raw.csv"))
    usable = raw[raw.problem == ""]
    how = conversion.of_set(usable, Path("data/raw"), settings.data.background)
    conversion.save(how, Path("data/conversion.json"))
    with conversion.converted(usable, Path("data/raw"), how) as paths:
        duplicates = near_duplicates(paths).among(usable.index.to_numpy(), len(raw))
        groups = joining.join(duplicates.near, raw, settings.data.groups)
        table = splitting.split(raw, duplicates._replace(near=groups), settings.split)
        path_of = dict(zip(usable.file, paths))
        copied = table[table.path != ""]
        for row in tqdm(copied.itertuples(), "copy", len(copied), unit="image", disable=None):
            target = Path("data/split", row.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(path_of[row.file], target)
    tables.save(table, "data/split.csv")
    counts = splitting.counts(table, raw)
    metrics.write("metrics/details/split.json", counts | {"median_side": splitting.median_side(table, raw)})
    metrics.write_answer("metrics/leaks.json", {"value": splitting.remaining_leaks(counts)})
    print(splitting.summary(counts))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
