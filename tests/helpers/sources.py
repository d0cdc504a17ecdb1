"""What the tests of all sources share: settings, folders of drawn images, and the stage that copies them."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.helpers.paths import ROOT
from versus import params
from versus.images.sources import fetching
from versus.images.sources.errors import SourceError

HANDLE = "pmigdal/alien-vs-predator-images/versions/1"


def settings(**changes):
    """Make the section `data`."""
    standard = {"source": "folder", "folder": "x", "kaggle": HANDLE, "labels": "", "file_column": "",
                "class_column": "", "group_column": "", "background": "white", "classes": 2, "per_class": 4, "seed": 0,
                "groups": ""}
    return params.Data(**standard | changes)


def split(**changes):
    """Make the section `split`."""
    return params.Split(**{"published": True, "validation": 0.25, "test": 0.0, "leaks": "remove", "seed": 0} | changes)


def fetch(data, target, **changes):
    """Fetch the images with the section `data`, and `split` but for `changes`: the rows of all files."""
    return fetching.fetch(data, split(**changes), target)


def contents(top):
    """Return {path below `top`: bytes} of all files."""
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


def lay_out(drawn, top, layout):
    """Copy the drawn classes to folders below `top`: {folder: number of the drawn class}."""
    for folder, label in layout.items():
        shutil.copytree(drawn / f"class_{label:02d}", top / folder)
    return top


def refused(data, target, **changes):
    """Return the message with which fetching fails; nothing may be left."""
    with pytest.raises(SourceError) as caught:
        fetch(data, target, **changes)
    assert not target.exists() and not list(target.parent.glob(f".{target.name}*"))
    return str(caught.value)


def stage(place, **changes):
    """Run the stage in the folder `place` with the committed params.yaml, but for `changes` in its section data."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["data"] |= changes
    (place / "params.yaml").write_text(yaml.safe_dump(values))
    return subprocess.run([sys.executable, "-m", "stages.download"], cwd=place, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})
