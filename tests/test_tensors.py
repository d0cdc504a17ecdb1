"""Arrays and what is said of them come back, in the same bytes each time, from every file that holds any."""

import ast

import numpy as np

from tests.helpers.paths import ROOT
from versus.artifacts import tensors


def test_the_same_content_has_the_same_bytes(tmp_path):
    arrays = {name: np.arange(4.0) for name in "abcdef"}
    about = {name: [name] for name in "uvwxyz"}
    contents = set()
    for number in range(20):
        tensors.save(arrays, about, tmp_path / f"{number}")
        contents.add((tmp_path / f"{number}").read_bytes())
    assert len(contents) == 1
    read, said = tensors.read(tmp_path / "0")
    assert said == about == tensors.read_about(tmp_path / "0")
    assert read.keys() == arrays.keys() and all((read[name] == arrays[name]).all() for name in arrays)


def test_nothing_else_writes_several_keys_of_metadata():
    """The library writes them in an order that it draws anew each time, so that dvc.lock would change with it."""
    calls = [node for path in (ROOT / "versus").rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "save_file"]
    written = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "metadata"]
    assert written and all(isinstance(each, ast.Dict) and len(each.keys) == 1 for each in written)
