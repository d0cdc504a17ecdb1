"""The gallery: a sheet for each group of images, with the true class and both competitors' percentages over each."""

from pathlib import Path

import numpy as np

from versus.artifacts.predictions import Predictions
from versus.evaluation.gallery import Group
from versus.recipe import pixels
from versus.report.sheet import COLOURS, GREY, Font, Sheet, fit

COLUMNS, ROWS = 4, 5
MOST = COLUMNS * ROWS  # images on a sheet
CELL, GAP, BOX = 264, 14, 160  # pixels: width of a cell, between cells, height of an image at most
NUMBER = 52  # width of a column of percentages
CLASSES = 3  # shown of each image: the true one, and the most probable others


def draw(group: Group, images: np.ndarray, pair: tuple[Predictions, Predictions], titles: tuple[str, str],
         folder: str | Path) -> Sheet:
    """Draw the first images of a group; `images` are indices, and files are below `folder`."""
    one, seeds = pair[0], len(pair[0].seeds)
    height = _caption(one) + BOX + GAP
    sheet = Sheet(COLUMNS * CELL + (COLUMNS + 1) * GAP, 200 + ROWS * height)
    sheet.write(group.name.capitalize(), GAP, GAP, Font(18, bold=True))
    text = group.sentence.format(f"{len(images) or 'none'} of {one.scope}")
    if len(images):
        text += f"; {group.order}" + (f", {MOST} of them" if len(images) > MOST else "") + ". ✓ true class."
        text += f" Percentages are means over {seeds} seeds." if seeds > 1 else ""
    else:
        text += "."
    top = sheet.write_lines(text, GAP, GAP + 28, sheet.image.width - 2 * GAP, Font(13)) + GAP
    for place, image in enumerate(images[:MOST]):
        row, column = divmod(place, COLUMNS)
        _cell(sheet, GAP + column * (CELL + GAP), top + row * height, int(image), pair, titles, Path(folder))
    return sheet


def _caption(predictions: Predictions) -> int:
    """The height of what stands over an image: titles, classes, seeds, file."""
    shown = min(CLASSES, len(predictions.class_names))
    return (1 + shown + (len(predictions.seeds) > 1)) * Font().line + Font(10).line + 4


def _cell(sheet: Sheet, x: int, y: int, image: int, pair: tuple[Predictions, Predictions], titles: tuple[str, str],
          folder: Path) -> None:
    """Draw one image at x, y, and over it what both say."""
    one, line = pair[0], Font().line
    ends = (x + CELL - NUMBER - 4, x + CELL)  # right ends of the columns
    names = CELL - 2 * NUMBER - 10
    means = [each.mean[image] for each in pair]
    for title, end, colour in zip(titles, ends, COLOURS):
        sheet.write(title, end, y, Font(11, bold=True), colour, "right", NUMBER)
    for label in shown_classes(np.stack(means), int(one.labels[image])):
        y += line
        true = label == one.labels[image]
        sheet.write(("✓ " if true else "") + one.class_names[label], x, y, Font(bold=true), width=names)
        for mean, end in zip(means, ends):
            sheet.write(percent(mean[label]), end, y, Font(bold=label == mean.argmax()), anchor="right")
    if len(one.seeds) > 1:
        y += line
        sheet.write("seeds right", x, y, Font(), GREY)
        for each, end in zip(pair, ends):
            sheet.write(f"{each.correct[:, image].sum()}/{len(each.seeds)}", end, y, Font(), GREY, "right")
    sheet.write(one.files[image], x, y + line, Font(10), GREY, width=CELL)
    thumbnail = fit(pixels.decode(folder / one.files[image], "accurate"), CELL, BOX)
    sheet.lay(thumbnail, x, y + line + Font(10).line + 4)


def shown_classes(means: np.ndarray, label: int) -> list[int]:
    """Return the classes to show of an image: the true one, `label`, then those that either finds most probable.

    `means` (2, classes) are the probabilities by both.

    >>> shown_classes(np.array([[0.1, 0.6, 0.3, 0.0], [0.1, 0.2, 0.2, 0.5]]), 0)
    [0, 1, 3]
    """
    others = [int(other) for other in np.argsort(-means.max(axis=0), kind="stable") if other != label]
    return [label, *others[:CLASSES - 1]]


def percent(probability: float) -> str:
    """Write a probability as whole percents; 0 and 100 are only said where they are exact.

    >>> percent(0.994), percent(0.996), percent(0.002), percent(1.0), percent(0.0)
    ('99 %', '>99 %', '<1 %', '100 %', '0 %')
    """
    whole = round(100 * probability)
    if whole == 100 and probability < 1:
        return ">99 %"
    return "<1 %" if whole == 0 and probability > 0 else f"{whole} %"
