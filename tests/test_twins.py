"""The twin modules show the frameworks' differences and nothing else: same public names, order and signatures."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOREIGN = {"keras": {"torch", "torchvision", "timm"}, "torch": {"keras", "tensorflow"}}
TWINS = sorted(path.stem.removesuffix("_keras")
               for folder in ("versus", "stages") for path in (ROOT / folder).glob("*_keras.py"))


def module(stem):
    return next(path for path in (ROOT / "versus" / f"{stem}.py", ROOT / "stages" / f"{stem}.py") if path.is_file())


def public(stem):
    """Public functions and classes with their public methods, in order: (name, arguments)."""
    found = []
    for node in ast.parse(module(stem).read_text()).body:
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
    keras, torch = ([each for each in public(f"{stem}_{framework}") if each[0] not in ONE_SIDED.get(stem, ())]
                    for framework in ("keras", "torch"))
    if stem == "backbone":  # a Keras network is a function of tensors, a PyTorch one a module
        networks = ("efficientnet_lite0", "resnet50")
        keras, torch = ([each for each in side if each[0] not in networks] for side in (keras, torch))
    if stem == "features":  # keras.utils.PyDataset counts in batches, a Dataset in images
        keras, torch = (dict(side) | {"Images": None} for side in (keras, torch))
    assert keras == torch


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_no_module_imports_the_other_framework(framework):
    for path in [*ROOT.glob(f"versus/*_{framework}.py"), *ROOT.glob(f"stages/*_{framework}.py")]:
        assert not imports(path) & FOREIGN[framework], path


def test_other_modules_import_neither_framework():
    both = FOREIGN["keras"] | FOREIGN["torch"]
    for path in ROOT.glob("versus/*.py"):
        if not path.stem.endswith(("_keras", "_torch")):
            assert not imports(path) & both, path


def test_the_library_never_imports_the_stages():
    for path in ROOT.glob("versus/*.py"):
        assert "stages" not in imports(path), path


def imports(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names
