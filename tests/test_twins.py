"""The twin modules show the frameworks' differences and nothing else: same public names, order and signatures."""

import ast

import pytest
from modules import ROOT, imported, names_imported

PACKAGES = {"keras": {"keras", "tensorflow"}, "torch": {"torch", "torchvision", "timm"}}
FRAMEWORKS = ROOT / "versus" / "frameworks"
TWINS = sorted(path.stem for path in (FRAMEWORKS / "keras").glob("[!_]*.py"))


def public(path):
    """Public functions and classes with their public methods, in order: (name, arguments)."""
    found = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.append((node.name, ast.unparse(node.args)))
        if isinstance(node, ast.ClassDef):
            found.append((node.name, [(inner.name, ast.unparse(inner.args)) for inner in node.body
                                      if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_")]))
    return [each for each in found if not each[0].startswith("_")]


# what the one framework needs and the other has: named here, so that a new difference is a decision
ONE_SIDED = {
    "head": {"CorrectedAdam", "UncorrectedAdam"},
    "features": {"Extractor"},  # PyTorch: backbone.train()
    "classifier": {"Classifier"},  # Keras: keras.Model
    "backbone": {"Backbone", "BatchStatistics", "find_weights"},  # weights are found once, for both
}


@pytest.mark.parametrize("stem", TWINS)
def test_same_functions_in_the_same_order(stem):
    keras, torch = ([each for each in public(FRAMEWORKS / framework / f"{stem}.py") if each[0] not in ONE_SIDED.get(stem, ())]
                    for framework in ("keras", "torch"))
    if stem == "backbone":  # a Keras network is a function of tensors, a PyTorch one a module
        networks = ("efficientnet_lite0", "resnet50")
        keras, torch = ([each for each in side if each[0] not in networks] for side in (keras, torch))
    assert keras == torch


@pytest.mark.parametrize("path", [*ROOT.glob("versus/**/*.py"), *ROOT.glob("stages/*.py")],
                         ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_process_loads_both_frameworks(path):
    """However deep the imports: of a module named after one framework, only that one."""
    loaded = {framework for framework, packages in PACKAGES.items() if packages & loads(path)}
    own = path.parent.name if path.parent.parent == FRAMEWORKS else path.stem.rpartition("_")[2]
    assert loaded <= {own} if own in PACKAGES or "versus" in path.parts else len(loaded) <= 1


def test_the_library_never_imports_the_stages():
    for path in ROOT.glob("versus/**/*.py"):
        assert "stages" not in loads(path), path


def loads(path):
    """The packages that importing a module loads, however deep in `versus`; of safetensors.torch both words."""
    return {word for each in imported(path) for name in names_imported(ROOT / each)
            for word in (name.split(".") if not name.startswith("versus") else ())}
