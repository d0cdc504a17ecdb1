"""Validate params.yaml before any other stage runs, and write its JSON schema for editors.

The names in `data.folder` are checked as well: of some, DVC would end with a traceback when it comes to the next stage.
"""

import json
import sys
from pathlib import Path

from versus import params
from versus.command import run
from versus.images.sources.errors import SourceError
from versus.images.sources.tree import paths_of


def main():
    data = params.load().data
    if data.source == "folder" and (problems := paths_of(Path(data.folder))[1]):
        raise SourceError("\n".join(problems))
    schema = json.dumps(params.Params.model_json_schema(), indent=2, sort_keys=True)
    Path("data/params.schema.json").write_text(schema + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
