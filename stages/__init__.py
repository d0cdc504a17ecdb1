"""The steps of the pipeline, one short script each."""

import sys
from importlib.util import find_spec

if find_spec("pydantic") is None:
    sys.exit(f"ERROR: got {sys.executable}, which lacks this repository's packages; expected the Python of its .venv: "
             "use `make repro`, or `source .venv/bin/activate` before dvc")
