"""Show one training image as both competitors decode, resize and augment it: python -m stages.views keras torch."""

import sys

from versus import params
from versus.command import run
from versus.frameworks import competitor
from versus.images import dataset
from versus.recipe import draws
from versus.report import views
from versus.report.views import Preparation


def main(first, second):
    settings = params.load()
    entries = [competitor(name) for name in (first, second)]
    both = [Preparation(entry.title, *(entry.default(settings.conventions, name)
                                       for name in ("decode", "resize", "augment"))) for entry in entries]
    files = dataset.read("data/split", "train").files
    drawn = draws.views(settings.extract.model_copy(update={"views": views.VIEWS}), len(files))  # begin as extraction's
    sheet = views.draw(files[0], drawn[:, 0], settings.extract.views, settings.model.image_size, both)
    sheet.save("metrics/views.png", views.MARGIN)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
