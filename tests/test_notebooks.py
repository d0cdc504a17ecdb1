"""The notebooks are those of today's sibling modules, and run."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.paths import ROOT
from tests.helpers.pipeline import SMALL, Clone
from tests.helpers.processes import PATIENT
from versus.report import notebooks


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_the_committed_notebooks_are_todays(name):
    assert (ROOT / notebooks.FOLDER / f"{name}.ipynb").read_text("utf-8") == notebooks.notebook(name), "run `make docs`"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what a notebook takes of a run: parameters, images, weights."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(ROOT / "params.yaml", folder)
    Clone(folder).set(SMALL)
    for stage in ("download", "split", "weights"):
        subprocess.run([sys.executable, "-m", f"stages.{stage}"], cwd=folder, check=True, capture_output=True,
                       env=os.environ | PATIENT | {"PYTHONPATH": str(ROOT)})
    return folder


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_a_notebook_runs(place, name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    read = nbformat.reads(notebooks.notebook(name), nbformat.NO_CONVERT)
    done = NotebookClient(read, timeout=300, resources={"metadata": {"path": str(place)}}).execute()
    texts = [output.get("text", "") for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any(text.startswith("accuracy ") for text in texts)
    assert sum(cell.source.startswith("## ") for cell in done.cells) == 7
