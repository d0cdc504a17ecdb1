"""Import lists of modules, each list in a process of its own; print what is loaded then.

    python -m tests.helpers.import_modules SHARED LIST...

Each LIST is names of modules with spaces in between. The modules SHARED, "" for none, are imported first and once: a
framework takes seconds. Prints JSON: the names of all modules that are loaded, of SHARED alone and of each list.
"""

import json
import os
import sys
from importlib import import_module


def loaded_in_a_child(names):
    """Import modules in a child process, and return what is loaded there in the end."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            for name in names:
                import_module(name)
            json.dump(sorted(sys.modules), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, names
    return json.loads(said)


def main(shared, *lists):
    for name in shared.split():
        import_module(name)
    loaded = sorted(sys.modules)
    print(json.dumps([loaded, *(loaded_in_a_child(names.split()) for names in lists)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
