"""Modules of the tests' helpers run in processes of their own, one framework each."""

import os
import subprocess
import sys

from tests.helpers.paths import ROOT

# where tests share the cores, OpenMP's threads would spin while they wait for each other: five times slower
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}


def start(module, *arguments):
    """Start `python -m tests.helpers.<module>` with some arguments: its Popen."""
    command = [sys.executable, "-m", f"tests.helpers.{module}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | PATIENT)


def run(module, *arguments):
    """Run `python -m tests.helpers.<module>` to its end, which must be a success."""
    process = start(module, *arguments)
    assert process.wait() == 0, process.args
