"""A stage run alone, as `dvc repro` runs it, in a folder that holds its deps."""

import os
import subprocess
import sys

from tests.helpers.paths import ROOT


def run_stage(name, folder, *competitors):
    """Run a stage in a folder: its CompletedProcess."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run([sys.executable, "-m", f"stages.{name}", *competitors], cwd=folder, env=environment,
                          text=True, capture_output=True)
