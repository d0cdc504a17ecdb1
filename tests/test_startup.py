"""No stage imports what it does not use, before it has read a single parameter."""

import json
import shlex
import subprocess
import sys

import pytest

from tests.helpers import pipeline
from tests.helpers.imports import names_of_modules
from tests.helpers.packages import AT_START, LARGE, OF_FRAMEWORK, framework_of
from tests.helpers.paths import ROOT

STAGES = pipeline.stages() | pipeline.stages(ROOT / "eras")
FRAMEWORK = {stage: framework_of(entry["cmd"]) for stage, entry in STAGES.items()}


def modules_of(stage):
    """The names of the modules that a stage imports, those of its framework included."""
    _, _, module, *arguments = shlex.split(STAGES[stage]["cmd"])
    return [module, *names_of_modules(ROOT.joinpath(*module.split(".")).with_suffix(".py"), arguments)]


@pytest.fixture(scope="module")
def imported():
    """What is loaded when a stage has imported its modules: {stage: names}; a framework alone goes by its own name."""
    result = {}
    for name in OF_FRAMEWORK:
        stages = [stage for stage in STAGES if FRAMEWORK[stage] == name]
        shared = f"versus.frameworks.{name}.runtime" if name else ""
        done = subprocess.run([sys.executable, "-m", "tests.helpers.import_modules", shared,
                               *(" ".join(modules_of(stage)) for stage in stages)],
                              cwd=ROOT, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        result |= dict(zip([name, *stages], map(set, json.loads(done.stdout)), strict=True))
    return result


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_package_that_it_does_not_use(stage, imported):
    assert imported[stage] & LARGE == AT_START[stage] | OF_FRAMEWORK[FRAMEWORK[stage]]


@pytest.mark.parametrize("name", ["keras", "torch"])
def test_a_framework_imports_nothing_else(name, imported):
    """Neither the packages that Keras looks for, for plots, notebooks and tables, nor PyTorch's compiler."""
    assert imported[name] & (LARGE | {"torch._dynamo", "sympy"}) == OF_FRAMEWORK[name]
