"""What a module or a stage imports, read from its text: no test process can import both frameworks."""

import ast
import shlex

from tests.helpers.paths import ROOT
from versus.frameworks import COMPETITORS



def imported(path, *arguments):
    """The files of the package `versus` that running `path` imports, itself included, however deep.

    `arguments` are those of the stage's `main`: of `modules(name, "head")` they tell the framework.
    """
    files, queue = set(), [path]
    while queue:
        path = queue.pop()
        if path not in files:
            files.add(path)
            names = [*names_imported(path), *names_of_modules(path, arguments)]
            queue += [module for name in names for module in files_of(name)]
    return {path.relative_to(ROOT).as_posix() for path in files}


def names_imported(path):
    """The dotted names that a module imports when it runs; of `from a import b` both a and a.b."""
    tree = parse(path)
    unused = {inner for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
              for inner in ast.walk(node)}
    for node in set(ast.walk(tree)) - unused:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import, which this test does not follow"
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def names_of_modules(path, arguments):
    """The dotted names of what a stage imports by `modules(name, "runtime", …)`, `name` being an argument of `main`."""
    tree = parse(path)
    calls = [node for node in ast.walk(tree)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "modules"]
    if calls:
        (main,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
        competitors = dict(zip((argument.arg for argument in main.args.args), arguments, strict=True))
        for competitor, *files in (call.args for call in calls):
            framework = COMPETITORS[competitors[competitor.id]].framework
            yield from (f"versus.frameworks.{framework}.{ast.literal_eval(file)}" for file in files)


def files_of(name):
    """The files that importing a dotted name runs: the module's, if it is one of `versus`, and its packages'."""
    parts = name.split(".")
    if parts[0] != "versus":
        return []
    packages = [ROOT.joinpath(*parts[:length], "__init__.py") for length in range(1, len(parts) + 1)]
    module = ROOT.joinpath(*parts).with_suffix(".py")
    return [path for path in (*packages, module) if path.is_file() and not holds_only_a_docstring(path)]


def holds_only_a_docstring(path):
    """Whether a module consists of its docstring, so that importing it runs nothing."""
    body = parse(path).body
    return len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)


def parse(path):
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def of_command(command):
    """The files that a stage's command `python -m stages.train keras` imports."""
    python, option, module, *arguments = shlex.split(command)
    assert (python, option) == ("python", "-m"), command
    package = module.split(".")[0]
    return {f"{package}/__init__.py"} | imported(ROOT.joinpath(*module.split(".")).with_suffix(".py"), *arguments)
