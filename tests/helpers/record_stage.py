"""Run a stage in one folder after the other, and write down which keys of params.yaml it reads: a driver for a test.

    python record_stage.py STAGE REPORT FOLDER...

Each folder is a repository of its own, with other settings; REPORT gets the sorted dotted names, of all of them, as
JSON. A section that is handed on does not count as read, only its keys; what `params.load` reads to validate neither.
"""

import json
import os
import runpy
import sys
from pathlib import Path


def record(params, read):
    """Make `params`, the module, note in the set `read` each key that is read once `load` has returned."""
    names = {field.annotation: name for name, field in params.Params.model_fields.items()}
    load, get, copy = params.load, params.Section.__getattribute__, params.Section.model_copy
    loaded = False
    replaced = {}  # by id of a section's copy: the copy, so that the id stays its own, and the keys replaced in it

    def load_and_record(*arguments):
        nonlocal loaded
        loaded = False
        settings = load(*arguments)
        loaded = True
        return settings

    def get_and_record(section, key):
        if loaded and type(section) in names:
            fields = type(section).model_fields
            wanted = fields.keys() if key in ("__dict__", "model_dump") else {key} & fields.keys()
            _, others = replaced.get(id(section), (None, ()))
            read.update(f"{names[type(section)]}.{field}" for field in wanted - set(others))
        return get(section, key)

    def copy_and_remember(section, *, update=None, deep=False):
        nonlocal loaded
        was, loaded = loaded, False
        copied = copy(section, update=update, deep=deep)
        loaded = was
        _, others = replaced.get(id(section), (None, ()))
        replaced[id(copied)] = copied, {*others, *(update or ())}
        return copied

    params.load, params.Section.model_copy = load_and_record, copy_and_remember
    params.Section.__getattribute__ = get_and_record


def main(stage, report, *folders):
    report, read = Path(report).resolve(), set()
    folders = [Path(folder).resolve() for folder in folders]
    os.chdir(folders[0])
    sys.path[0] = str(folders[0])  # instead of the tests, as under `python -m`
    from versus import params
    record(params, read)
    for folder in folders:
        os.chdir(folder)
        runpy.run_module(f"stages.{stage}", run_name="__main__")
    report.write_text(json.dumps(sorted(read)))


if __name__ == "__main__":
    main(*sys.argv[1:])
