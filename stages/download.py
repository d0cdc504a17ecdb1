"""Bring the images of `data.source` to data/raw; describe each file, and what is wrong with it, in data/raw.csv."""

from versus.images import inspection as images
from versus import params
from versus.images import sources
from versus.command import run


def main():
    data = params.load().data
    sources.fetch(data, "data/raw")
    table = images.inspect("data/raw")
    usable = table[table.problem == ""]
    if usable["class"].nunique() < 2:
        raise sources.SourceError(f"data.source {data.source!r}: got {len(usable)} images that can be used, of "
                                  f"{usable['class'].nunique()} classes; expected two classes or more. The first "
                                  f"problem: {_first_problem(table)}")
    table.to_csv("data/raw.csv", index=False)
    print(_summary(table))


def _first_problem(table):
    return "; ".join(f"{row.file} {row.problem}" for row in table[table.problem != ""].head(1).itertuples()) or "none"


def _summary(table):
    """Say in a line how many images there are, of how many classes, in which parts, and how many are unusable."""
    parts = table.published.value_counts()
    split = f"published split {parts['train']} + {parts['validation']}" if "train" in parts else "no published split"
    problems = (table.problem != "").sum()
    return f"{len(table)} images, {table['class'].nunique()} classes, {split}, {problems} with problems"


if __name__ == "__main__":
    run(main)
