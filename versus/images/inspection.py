"""List the files of a folder of images, and say of each why it cannot be used, if so."""

import hashlib
from pathlib import Path

import pandas as pd
from PIL import UnidentifiedImageError
from tqdm import tqdm

from versus.images.dataset import PARTS
from versus.images.opening import FORMATS, ImageError, open_image

COLUMNS = ("file", "class", "published", "sha256", "width", "height", "mode", "format", "problem")
SMALLEST_SIDE = 8     # pixels
DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")  # converting to RGB, Pillow clips all above 255 to white
LISTED_PROBLEMS = 5   # in an error message


class LayoutError(ValueError):
    """A folder of images that is laid out neither as `<class>/*` nor as `{train,validation}/<class>/*`."""


class UnusableImagesError(ValueError):
    """Images of which too few can be used."""


def inspect(root: str | Path) -> pd.DataFrame:
    """Describe every file under `root` (`<class>/*` or `{train,validation}/<class>/*`): a DataFrame of COLUMNS.

    Rows are sorted by file. `published` is the part in which the source put the image, "" if it has no parts.
    `problem` says why an image cannot be used, and is "" if it can. `width` and `height` are 0, and `mode` and
    `format` are "", if the file could not be opened. Raises LayoutError.
    """
    root = Path(root)
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    if not files:
        raise LayoutError(f"got {str(root)!r}, which contains no files; expected images as <class>/* or "
                          "{train,validation}/<class>/*")
    rows = [_place(file) | _describe(root / file) for file in tqdm(files, "inspect", unit="image", disable=None)]
    return pd.DataFrame(rows, columns=COLUMNS)


def check_usable(table: pd.DataFrame, source: str) -> None:
    """Raise UnusableImagesError unless `table`, made by `inspect`, has usable images of two classes or more.

    `source` is the `data.source` that the images come from.
    """
    usable = table[table.problem == ""]
    classes = usable["class"].nunique()
    if classes < 2:
        raise UnusableImagesError(f"data.source {source!r}: got {len(usable)} images that can be used, of {classes} "
                                  f"classes; expected two classes or more. Problems: {_problems(table)}")


def save(table: pd.DataFrame, path: str | Path) -> None:
    """Write what `inspect` returned as CSV."""
    table.to_csv(path, index=False)


def read(path: str | Path) -> pd.DataFrame:
    """Read what `save` wrote."""
    return pd.read_csv(path, keep_default_na=False, dtype={"class": str})


def summary(table: pd.DataFrame) -> str:
    """Say in a line how many images there are, of how many classes, in which parts, and how many are unusable."""
    parts = table.published.value_counts()
    split = f"published split {parts['train']} + {parts['validation']}" if "train" in parts else "no published split"
    unusable = (table.problem != "").sum()
    return f"{len(table)} images, {table['class'].nunique()} classes, {split}, {unusable} with problems"


def _problems(table: pd.DataFrame) -> str:
    """List the first problems with their files, and count the rest."""
    problems = [f"{row.file}: {row.problem}" for row in table[table.problem != ""].itertuples()]
    listed, rest = problems[:LISTED_PROBLEMS], len(problems) - LISTED_PROBLEMS
    if rest > 0:
        listed.append(f"and {rest} more")
    return "; ".join(listed) or "none"


def _place(file: str) -> dict:
    """Take class and published part from the folders in `file`."""
    folders = file.split("/")[:-1]
    if len(folders) == 1:
        folders = ["", *folders]
    if len(folders) != 2 or folders[0] not in ("", *PARTS):
        raise LayoutError(f"got the file {file!r}; expected <class>/<name> or {{train,validation}}/<class>/<name>: "
                          "move or remove it")
    return {"file": file, "published": folders[0], "class": folders[1]}


def _describe(path: Path) -> dict:
    """Compute checksum, size, mode, format and problem of one image file."""
    description = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "width": 0, "height": 0, "mode": "",
                   "format": "", "problem": ""}
    if not path.stat().st_size:
        return description | {"problem": "empty file"}
    try:
        with open_image(path) as image:
            description |= {"width": image.width, "height": image.height, "mode": image.mode, "format": image.format}
            image.load()
    except ImageError as error:
        return description | {"problem": str(error)}
    except UnidentifiedImageError:
        return description | {"problem": f"cannot be decoded: none of {', '.join(FORMATS)}"}
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and others
        return description | {"problem": f"cannot be decoded: {' '.join(str(error).split()) or type(error).__name__}"}
    if image.mode in DEEP_MODES:
        return description | {"problem": f"deeper than 8 bits: mode {image.mode}"}
    if min(image.size) < SMALLEST_SIDE:
        return description | {"problem": f"too small: {image.width}x{image.height}, less than {SMALLEST_SIDE} pixels a "
                                         "side"}
    return description
