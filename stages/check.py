"""Validate params.yaml before any other stage runs, and write its JSON schema for editors."""

import json
import sys
from pathlib import Path

from versus import params
from versus.command import run


def main():
    params.load()
    schema = json.dumps(params.Params.model_json_schema(), indent=2, sort_keys=True)
    Path("data/params.schema.json").write_text(schema + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
