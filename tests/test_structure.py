"""The rules of the layout: floors, siblings, no copies, one engine a process, one door for each format."""

import ast
import difflib
import re
from itertools import combinations
from pathlib import Path

import pytest

from tests.helpers.imports import names_imported, parse
from tests.helpers.paths import ROOT

# a module imports what stands on a floor below its own, or in its own folder
FLOORS = [("stages", "versus/__main__.py"), ("versus/report",), ("versus/evaluation", "versus/frameworks"),
          ("versus/recipe", "versus/artifacts"), ("versus/images",), ("versus/params.py", "versus/command.py"),
          ("versus/values.py",)]
FRAMEWORKS = ROOT / "versus" / "frameworks"
PACKAGES = {"keras": {"keras", "tensorflow"}, "torch": {"torch", "torchvision"}}
SIBLINGS = sorted(path.name for path in (FRAMEWORKS / "keras").glob("*.py"))
LONGEST_RUN = 5  # equal code lines in a row that siblings may share
TESTS_LONGEST_RUN = 19  # and test files
# what one framework needs and the other has already: named here, so that a new difference is a decision
ONE_SIDED = {
    "backbone.py": {"Backbone", "BatchStatistics"},  # a Keras network is a function of tensors, a PyTorch one a module
    "classifier.py": {"Classifier"},  # Keras: keras.Model
    "features.py": {"Extractor"},  # PyTorch: backbone.train()
    "head.py": {"TorchAdam", "UncorrectedAdam"},
    "networks.py": {"SameConv2d"},  # which TensorFlow has
    "pretrained.py": {"applications_resnet50", "find_weights"},  # the shared weights are found once, for both
}
# and functions whose arguments differ: a Keras network takes a tensor, too
OTHER_ARGUMENTS = {("networks.py", "efficientnet_lite0"), ("networks.py", "resnet50")}


def modules():
    """All modules of the library and all stages, relative to the repository."""
    return sorted(path.relative_to(ROOT).as_posix() for folder in ("versus", "stages")
                  for path in (ROOT / folder).rglob("*.py"))


def floor(module):
    """The number of the floor on which a module stands, 0 at the top, and its room there."""
    for number, rooms in enumerate(FLOORS):
        for room in rooms:
            if module == room or module.startswith(room + "/"):
                return number, room
    pytest.fail(f"{module} stands on no floor: add its folder to FLOORS")


def imports(module):
    """The modules and packages of the project that a module imports itself."""
    for name in set(names_imported(ROOT / module)):
        path = ROOT.joinpath(*name.split("."))
        if name.split(".")[0] in ("versus", "stages"):
            yield from (file.relative_to(ROOT).as_posix() for file in (path.with_suffix(".py"), path / "__init__.py")
                        if file.is_file())


@pytest.mark.parametrize("module", [module for module in modules() if module != "versus/__init__.py"])
def test_a_module_imports_only_what_stands_below_it_or_in_its_own_folder(module):
    number, room = floor(module)
    for imported in imports(module):
        if imported != "versus/__init__.py":
            other, other_room = floor(imported)
            assert other > number or other_room == room, f"{module} must not import {imported}"


def test_no_module_imports_itself_in_a_circle():
    graph = {module: set(imports(module)) - {module} for module in modules()}
    while leaves := {module for module, imported in graph.items() if not imported & graph.keys()}:
        graph = {module: imported for module, imported in graph.items() if module not in leaves}
    assert not graph


# siblings

def test_every_framework_has_the_same_files():
    for framework in PACKAGES:
        assert sorted(path.name for path in (FRAMEWORKS / framework).glob("*.py")) == SIBLINGS


def public(path):
    """Public functions and classes with their public methods, in order: (name, arguments without annotations)."""
    members = []
    for node in parse(path).body:
        if isinstance(node, ast.FunctionDef):
            members.append((node.name, arguments(node)))
        if isinstance(node, ast.ClassDef):
            members.append((node.name, [(inner.name, arguments(inner)) for inner in node.body
                                        if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_")]))
    return [member for member in members if not member[0].startswith("_")]


def arguments(function):
    """The arguments of a function as text; the types of its own framework are left out."""
    for argument in ast.walk(function.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return ast.unparse(function.args)


@pytest.mark.parametrize("name", SIBLINGS)
def test_siblings_have_the_same_public_names_in_the_same_order(name):
    keras, torch = ([(member, None if (name, member) in OTHER_ARGUMENTS else own)
                     for member, own in public(FRAMEWORKS / framework / name)
                     if member not in ONE_SIDED.get(name, ())] for framework in PACKAGES)
    assert keras == torch


def code_lines(path):
    """The lines of code of a module, without comments, imports, docstrings and blank lines."""
    tree = parse(path)
    prose = {line for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
             for line in range(node.lineno, node.end_lineno + 1)}
    prose |= {line for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))
              for line in range(node.lineno, node.end_lineno + 1)}
    lines = [re.sub(r"\s+#.*$", "", line).strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for number, line in enumerate(lines, 1) if number not in prose and line and not line.startswith("#")]


def longest_run(one, other):
    """The longest run of equal code lines of two modules."""
    lines = code_lines(one), code_lines(other)
    match = difflib.SequenceMatcher(None, *lines, autojunk=False).find_longest_match()
    return lines[0][match.a:match.a + match.size]


@pytest.mark.parametrize("name", SIBLINGS)
def test_siblings_share_no_run_of_six_equal_lines(name):
    assert len(longest_run(FRAMEWORKS / "keras" / name, FRAMEWORKS / "torch" / name)) <= LONGEST_RUN


def test_stages_share_no_run_of_six_equal_lines():
    for one, other in combinations(sorted((ROOT / "stages").glob("*.py")), 2):
        assert len(run := longest_run(one, other)) <= LONGEST_RUN, f"{one.name}, {other.name}: {run}"


def test_no_two_test_files_share_twenty_equal_lines():
    seen = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        lines = code_lines(path)
        for start in range(len(lines) - TESTS_LONGEST_RUN):
            run = tuple(lines[start:start + TESTS_LONGEST_RUN + 1])
            assert seen.setdefault(run, path) == path, f"{seen[run]}, {path}: {run}"


# engines

@pytest.mark.parametrize("framework", PACKAGES)
def test_a_framework_is_imported_in_its_own_folder_alone(framework):
    for module in modules():
        names = set(names_imported(ROOT / module))
        loaded = {name.split(".")[0] for name in names} & PACKAGES[framework]
        loaded |= {name for name in names if name.startswith(f"versus.frameworks.{framework}.")}
        own = module.startswith(f"versus/frameworks/{framework}/")
        assert not loaded or own or module == "stages/weights.py", f"{module} imports {loaded}"


def test_only_one_stage_imports_a_framework_without_being_told_which():
    """Stage `weights` needs PyTorch's own packages; all others load the framework of the competitor they are given."""
    importing = {module for module in modules() if module.startswith("stages/")
                 and any(imported.startswith(f"versus/frameworks/{framework}/")
                         for imported in imports(module) for framework in PACKAGES)}
    assert importing == {"stages/weights.py"}


# doors

def calls(module):
    """The dotted names of all functions that a module calls."""
    return {ast.unparse(node.func) for node in ast.walk(parse(ROOT / module)) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("function, doors", [
    ("Image.open", {"versus/images/opening.py"}),
    ("pd.read_csv", {"versus/artifacts/metrics.py", "versus/images/sources/labels.py",
                     "versus/images/sources/sample.py", "versus/images/tables.py"}),
    ("csv.reader", {"versus/artifacts/predictions_rows.py"}),
    ("np.save", {"versus/artifacts/features.py"}),
    ("np.load", {"versus/artifacts/features.py"}),
    ("load_file", {"versus/artifacts/features.py", "versus/artifacts/heads.py"}),
    ("save_file", {"versus/artifacts/features.py", "versus/artifacts/heads.py", "versus/artifacts/tensors.py",
                   "versus/recipe/weights.py"}),
    ("safe_open", {"versus/artifacts/tensors.py", "versus/recipe/weights.py"}),
    ("json.loads", {"versus/artifacts/metrics.py", "versus/artifacts/model_info.py",
                    "versus/artifacts/predictions_rows.py", "versus/artifacts/revisions.py",
                    "versus/artifacts/tensors.py",
                    "versus/frameworks/keras/classifier.py", "versus/images/conversion.py",
                    # both ends of a pipe
                    "versus/frameworks/classification.py", "versus/frameworks/workers.py"}),
])
def test_a_format_has_one_door(function, doors):
    assert {module for module in modules() if function in calls(module)} == doors


OUR_OLD_WORDS = {"found", "chosen", "followed", "kept", "luck", "bank", "banks", "habit", "habits"}


@pytest.mark.parametrize("folder", ["stages", "tests", "versus"])
def test_names_are_those_of_the_field(folder):
    """Names that say nothing, or that only we used."""
    for path in (ROOT / folder).rglob("*.py"):
        names = {node.id for node in ast.walk(parse(path)) if isinstance(node, ast.Name)}
        names |= {node.arg for node in ast.walk(parse(path)) if isinstance(node, ast.arg)}
        assert not names & OUR_OLD_WORDS, f"{path}: {names & OUR_OLD_WORDS}"


def test_prose_uses_the_words_of_the_field():
    pages = [ROOT / "README.md", ROOT / "params.yaml", ROOT / "dvc.yaml", ROOT / "Makefile",
             *(ROOT / "docs").glob("*.md"), *(ROOT / "data").glob("*/README.md")]
    for path in [*pages, *(ROOT / module for module in modules())]:
        words = re.findall(r"\b(?:pictures?|habits?|banks?|luck)\b", path.read_text(encoding="utf-8"))
        assert not words, f"{path}: {words}"


def test_files_stay_short():
    """A file of more than 300 lines holds more than one idea."""
    lengths = {module: len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in modules()}
    assert not {module: lines for module, lines in lengths.items() if lines > 300}


def test_lines_stay_short():
    tests = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")]
    for module in modules() + tests:
        lines = (ROOT / module).read_text(encoding="utf-8").splitlines()
        assert not [number for number, line in enumerate(lines, 1) if len(line) > 120], module


def test_functions_stay_short():
    for module in modules():
        for node in ast.walk(parse(ROOT / module)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{module}: {node.name}"


@pytest.mark.parametrize("path", [Path(module).as_posix() for module in modules()])
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(parse(ROOT / path))
