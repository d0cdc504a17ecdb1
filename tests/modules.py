"""What a module imports, read from its text: no test process can import both frameworks."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]


def imported(path):
    """The files of the package `versus` that the module `path` imports, itself included, however deep."""
    found, queue = set(), [path]
    while queue:
        path = queue.pop()
        if path not in found:
            found.add(path)
            queue += [module for name in names_imported(path) for module in files_of(name)]
    return {path.relative_to(ROOT).as_posix() for path in found}


def names_imported(path):
    """The dotted names that a module imports; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import, which this test does not follow"
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def files_of(name):
    """The files that importing a dotted name runs: the module's, if it is one of `versus`, and its package's."""
    parts = name.split(".")
    if parts[0] != "versus":
        return []
    packages = [ROOT.joinpath(*parts[:length], "__init__.py") for length in range(1, len(parts) + 1)]
    module = ROOT.joinpath(*parts).with_suffix(".py")
    return [path for path in (*packages, module) if path.is_file() and not holds_a_docstring_only(path)]


def holds_a_docstring_only(path):
    """Whether a module consists of its docstring, so that importing it runs nothing."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
