"""Make sets of images for the recipes from images that are there: python -m benchmark.recipes.sets KIND FROM TO.

`small` shrinks {train,validation}/<class>/* to 32 pixels: every loader has to enlarge them sevenfold. `large` cuts a
folder of large photographs into pieces of 800 pixels of two classes: as they are, or upside down. Training pieces come
from the left of a photograph, validation pieces from its right. The photographs of Debian's package mate-backgrounds
serve: `apt-get download mate-backgrounds && dpkg -x mate-backgrounds*.deb TO`, below usr/share/backgrounds/mate/nature.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from versus.command import run

SMALL, LARGE = 32, 800  # pixels
MOST = {"train": 168, "validation": 100}  # images of a class
CLASSES = ("upright", "upside_down")


def small(source: Path, target: Path) -> None:
    """Shrink the first images of each class of each part to 32 x 32 pixels, as PNG."""
    for part, most in MOST.items():
        for folder in sorted((source / part).iterdir()):
            (target / part / folder.name).mkdir(parents=True, exist_ok=True)
            for file in sorted(folder.iterdir())[:most]:
                with Image.open(file) as image:
                    shrunk = image.convert("RGB").resize((SMALL, SMALL), Image.Resampling.LANCZOS)
                shrunk.save(target / part / folder.name / f"{file.stem}.png")


def large(source: Path, target: Path) -> None:
    """Cut the photographs of a folder into pieces of 800 x 800 pixels, as JPEG; every second one is turned."""
    generator, photographs = np.random.default_rng(0), sorted(source.glob("*.jpg"))
    for part, (left, right) in {"train": (0.0, 0.6), "validation": (0.6, 1.0)}.items():
        for name in CLASSES:
            (target / part / name).mkdir(parents=True, exist_ok=True)
        for number in range(2 * MOST[part]):
            file, name = photographs[number // 2 % len(photographs)], CLASSES[number % 2]
            with Image.open(file) as photograph:
                width, height = photograph.size
                side = min(LARGE, height, int(width * (right - left)))
                x = int(generator.uniform(width * left, width * right - side))
                y = int(generator.uniform(0, height - side))
                piece = photograph.convert("RGB").crop((x, y, x + side, y + side))
            if name == "upside_down":
                piece = piece.transpose(Image.Transpose.ROTATE_180)
            piece.save(target / part / name / f"{file.stem}-{number // 2:03}.jpg", quality=92)


def main(kind, source, target):
    kinds = {"small": small, "large": large}
    if kind not in kinds or not Path(source).is_dir():
        raise ValueError(f"got {kind!r} and {source!r}; expected small or large, and a folder")
    kinds[kind](Path(source), Path(target))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
