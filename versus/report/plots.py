"""The plots of two revisions as image files, without a browser: what `dvc plots diff` gives, drawn by vl-convert."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from versus.artifacts import revisions

SCALE = 1.5  # image pixels for a pixel of the plot
WORKSPACE = "workspace"  # DVC's name for the files as they are


@dataclass(frozen=True)
class Plot:
    """One plot of dvc.yaml."""

    title: str
    files: dict[str, str]  # names of image files by revision; {"": name} where one image shows both


def draw(revision: str, folder: Path) -> list[Plot]:
    """Write the plots of `revision` and of the workspace into `folder`, and list them in the order of dvc.yaml.

    Those without data in both revisions are left out; of images that another revision does not have in reach, this
    one's are shown.
    """
    plots = []
    with tempfile.TemporaryDirectory() as temporary:
        said = revisions.ask_dvc("plots", "diff", revision, "--out", temporary)
        for number, (title, entries) in enumerate(said.get("data", {}).items(), 1):
            stem = f"{number:02}-{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')[:40]}"
            if files := _write(entries, folder, stem):
                plots.append(Plot(title, files))
    return plots


def _write(entries: list[dict], folder: Path, stem: str) -> dict[str, str]:
    """Write the images of one plot: DVC overlays the revisions of data, and has an image for each of the others."""
    files = {}
    for entry in entries:
        if entry["type"] == "image":
            (revision,) = entry["revisions"]
            now = revision == WORKSPACE
            name = f"{stem}-{'now' if now else 'before'}{Path(entry['url']).suffix.lower()}"
            shutil.copyfile(entry["url"], folder / name)
            files["now" if now else "before"] = name
        else:
            import vl_convert
            name = f"{stem}.png"
            drawing = entry["content"] | {"background": "white"}
            (folder / name).write_bytes(vl_convert.vegalite_to_png(drawing, scale=SCALE))
            files[""] = name
    return files
