"""Whether there are images enough of each class, in each part: all that is wrong, at once."""

import difflib
from collections import Counter
from collections.abc import Iterable

from versus import params
from versus.images.dataset import PARTS

LISTED = 20  # classes in a message


def parts_to_draw(published: Iterable[str], split: params.Split) -> list[str]:
    """List the parts that have to be drawn from the training images, or from all where none are published."""
    have = set(published)
    if not keeps_published(have, split):
        have = set()
    wanted = [part for part in PARTS[1:] if part == "validation" or split.test]
    return [part for part in wanted if part not in have]


def keeps_published(published: Iterable[str], split: params.Split) -> bool:
    """Say whether the source's own parts are kept: if there are a training part and another one."""
    have = set(published)
    return split.published and "train" in have and bool(have & set(PARTS[1:]))


def problems(images: Iterable[tuple[str, str]], split: params.Split) -> list[str]:
    """Say all that is wrong with the classes of `images`, pairs of class and published part."""
    counts = Counter(images)
    labels = {label for label, _ in counts}
    published = {part for _, part in counts if part}
    if len(labels) < 2:
        return [f"got {counts.total():,} images of {len(labels)} classes; expected two classes or more"]
    lines = []
    keeps = keeps_published(published, split)
    if keeps and (lines_of_parts := _differences(counts, labels, published)):
        lines.append("got classes that are not in all parts; rename the folders that mean one class, or set "
                     "split.published to false, and all parts are put together and drawn anew:"
                     + "".join(f"\n  {line}" for line in lines_of_parts))
    needed = 1 + len(parts_to_draw(published, split))
    available = {label: sum(number for (own, part), number in counts.items() if own == label
                            and (not keeps or part in ("train", ""))) for label in labels}
    few = {label: number for label, number in available.items() if 0 < number < needed}
    if few:
        listed = ", ".join(f"{label!r} {number}" for label, number in sorted(few.items())[:LISTED])
        more = f" and {len(few) - LISTED:,} more" if len(few) > LISTED else ""
        lines.append(f"got too few images of {len(few):,} classes, {listed}{more}; expected {needed} or more of each, "
                     f"one for each of {', '.join(['train', *parts_to_draw(published, split)])}: add images, or remove "
                     "the folders")
    return lines


def _differences(counts: Counter[tuple[str, str]], labels: set[str], published: set[str]) -> list[str]:
    """List the classes that a part lacks, each with the nearest name of those that it alone has."""
    parts = [part for part in PARTS if part in published]
    lines = []
    for label in sorted(labels):
        having = [part for part in parts if (label, part) in counts]
        lacking = [part for part in parts if part not in having]
        if not lacking or not having:
            continue
        strangers = {other for other, part in counts if part in lacking
                     and not all((other, each) in counts for each in parts)}
        nearest = difflib.get_close_matches(label, sorted(strangers), n=1, cutoff=0.6)
        lines.append(f"{label!r} in {' and '.join(having)}, not in {' and '.join(lacking)}"
                     + (f", where there is {nearest[0]!r}" if nearest else ""))
    return lines[:LISTED] + ([f"and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else [])
