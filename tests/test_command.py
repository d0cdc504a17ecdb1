"""A stage that is called wrongly, or that fails for a user's mistake, says so in one message."""

import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT


def call(*words):
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, text=True, capture_output=True)


@pytest.mark.parametrize("words, message", [
    (["stages.train"], "ERROR: got the arguments none; expected name: dvc.yaml shows how each stage is called\n"),
    (["stages.compare", "keras"], "ERROR: got the arguments keras; expected first, second: dvc.yaml shows how"),
    (["stages.check", "keras"], "ERROR: got the arguments keras; expected none: dvc.yaml shows how"),
    (["stages.train", "jax"], "ERROR: got the competitor 'jax'; expected one of keras, torch, "),
])
def test_a_wrong_call_is_refused_without_a_traceback(words, message):
    process = call(*words)
    assert process.returncode == 1
    assert process.stderr.startswith(message)
    assert process.stdout == "" and "Traceback" not in process.stderr


def test_a_python_without_the_packages_is_refused_by_every_stage():
    bare = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, '.'); import stages.compare"]
    process = subprocess.run(bare, cwd=ROOT, text=True, capture_output=True)
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert process.stderr.startswith(f"ERROR: got {sys.executable}, which lacks this repository's packages; expected")
