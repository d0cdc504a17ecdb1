"""Run a stage in one folder after the other; write down which keys of params.yaml it reads, and which engine it loads.

    python record_stage.py REPORT STAGE ARGUMENTS FOLDER...

Each folder is a repository of its own, with other settings; ARGUMENTS are the stage's, as JSON. REPORT gets JSON:
`keys`, the sorted dotted names read in all of them, and `loaded`, the names of all modules that are loaded in the end.
A section that is handed on does not count as read, only its keys do; neither does what `params.load` reads to validate.
"""

import json
import os
import runpy
import sys
from pathlib import Path


def record_reads(params, keys):
    """Make the module `params` add to the set `keys` each key that is read once `load` has returned."""
    names = {field.annotation: name for name, field in params.Params.model_fields.items()}
    load, get = params.load, params.Section.__getattribute__

    def get_and_record(section, key):
        fields = type(section).model_fields if type(section) in names else {}
        read = fields if key == "model_dump" else {key} & fields.keys()
        keys.update(f"{names[type(section)]}.{field}" for field in read)
        return get(section, key)

    def load_and_record(*arguments):
        params.Section.__getattribute__ = get
        settings = load(*arguments)
        params.Section.__getattribute__ = get_and_record
        return settings

    params.load = load_and_record


def main(report, stage, arguments, *folders):
    report, keys = Path(report).resolve(), set()
    folders = [Path(folder).resolve() for folder in folders]
    os.chdir(folders[0])
    sys.path[0] = str(folders[0])  # instead of the tests, as under `python -m`
    if Path("versus/params.py").exists():  # which some stage does without
        from versus import params
        record_reads(params, keys)
    for folder in folders:
        os.chdir(folder)
        sys.argv = [stage, *json.loads(arguments)]
        runpy.run_module(stage, run_name="__main__")
    report.write_text(json.dumps({"keys": sorted(keys), "loaded": sorted(sys.modules)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
