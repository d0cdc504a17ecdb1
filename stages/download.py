"""Copy the images of `data.source` to data/raw, and list every file with any problem found in data/raw.csv."""

import sys

from versus import params
from versus.command import run
from versus.images import inspection, tables
from versus.images.sources.fetching import fetch


def main():
    settings = params.load()
    files = fetch(settings.data, settings.split, "data/raw")
    table = inspection.inspect("data/raw", files)
    inspection.check_usable(table, settings.data.source, settings.split)
    tables.save(table, "data/raw.csv")
    print(inspection.summary(table))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
