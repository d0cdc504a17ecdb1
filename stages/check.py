"""Validate params.yaml before any other stage runs, and write its JSON schema for editors.

The names in `data.folder` are checked as well: of some, DVC would end with a traceback when it comes to the next stage.
In a copy of the repository that DVC made for an experiment, the images and weights that it lacks are linked to.
"""

import json
import sys
from pathlib import Path

from versus import params
from versus.artifacts import lock
from versus.command import run
from versus.images import experiments
from versus.images.sources.errors import SourceError
from versus.images.sources.walk import paths_of

NEEDED_BY = {"data.folder": "download", "model.weights": "weights"}  # the stage that reads what the key names


def main():
    settings = params.load()
    experiments.link("data/weights")
    if settings.model.weights.endswith(".safetensors"):
        experiments.link(settings.model.weights)
    if settings.data.source == "folder":
        experiments.link(settings.data.folder)
    check_paths(settings)
    schema = json.dumps(params.Params.model_json_schema(), indent=2, sort_keys=True)
    Path("data/params.schema.json").write_text(schema + "\n", encoding="utf-8")


def check_paths(settings):
    """Refuse paths that lead to nothing, except those with which the results in dvc.lock were made.

    They are on another machine: who has pulled the results can go on from there, without the images.
    """
    data, stages = settings.data, lock.stages()
    missing = params.missing_paths(settings)
    made_with = {key: lock.parameters(stages.get(stage, {})).get(key) for key, stage in NEEDED_BY.items()}
    current = {"data.folder": data.folder, "model.weights": settings.model.weights}
    if refused := [problem for key, problem in missing.items() if made_with[key] != current[key]]:
        raise params.ParamsError("\n".join(refused))
    for key in missing:
        print(f"{key}: {current[key]!r} is not on this machine. dvc.lock has results made with it: with `dvc pull` and "
              "`dvc repro --pull --allow-missing`, only stages that need it fail (docs/remote.md)")
    if data.source == "folder" and not missing and (problems := paths_of(Path(data.folder))[1]):
        raise SourceError("\n".join(problems))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
