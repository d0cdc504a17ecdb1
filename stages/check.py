"""Validate params.yaml before any other stage runs, and write its JSON schema for editors."""

import json
import sys
from pathlib import Path

try:
    from versus import params
    from versus.command import run
except ModuleNotFoundError as missing:
    sys.exit(f"ERROR: got {sys.executable}, which lacks {missing.name!r}; expected the Python of this repository's "
             ".venv: use `make repro`, or `source .venv/bin/activate` before dvc")


def main():
    params.load()
    schema = json.dumps(params.Params.model_json_schema(), indent=2, sort_keys=True)
    Path("data/params.schema.json").write_text(schema + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
