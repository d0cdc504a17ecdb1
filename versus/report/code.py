"""What each framework's code says for each step: source cut from the sibling modules, side by side."""

import ast
import difflib
import re
from pathlib import Path
from typing import NamedTuple

from versus.frameworks.packages import PACKAGES
from versus.params import Framework

FRAMEWORKS = Path(__file__).parents[1] / "frameworks"
TRIVIAL = 8  # characters; a shorter line, such as `else:`, is no reason to let two sources meet there
SAME, DIFFERS, BLANK = "same", "differs", "blank"


class Line(NamedTuple):
    """A line of code: its text, and whether its sibling has the same one; a BLANK one stands where there is none."""

    text: str
    kind: str


class Exhibit(NamedTuple):
    """One file's part of a step in both frameworks: lines of equal number, and how many lines of code they are."""

    name: str
    one: list[Line]
    other: list[Line]
    counts: tuple[int, int]


def exhibits(frameworks: tuple[Framework, Framework], parts: dict[str, tuple[str, ...]]) -> list[Exhibit]:
    """Cut the functions, classes and tables of `parts`, {file: names}, from both frameworks."""
    return [exhibit(file, names, *(cut(FRAMEWORKS / framework / file, names) for framework in frameworks))
            for file, names in parts.items()]


def imports(frameworks: tuple[Framework, Framework]) -> Exhibit:
    """Collect each line that imports a framework's own packages, from all of its files."""
    one, other = (sorted({ast.unparse(node) for path in sorted((FRAMEWORKS / framework).glob("*.py"))
                          for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                          if _imported(node) & {*PACKAGES[framework]}}) for framework in frameworks)
    return exhibit("all files", ("",), {"": "\n".join(one)}, {"": "\n".join(other)})


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def cut(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the source of the named functions, classes and assignments of a module as it stands there, by name."""
    text = path.read_text(encoding="utf-8")
    lines, pieces = text.splitlines(), {}
    for node in ast.parse(text).body:
        for name in _names(node) & {*names}:
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            pieces[name] = "\n".join(lines[first - 1:node.end_lineno])
    return pieces


def _names(node: ast.AST) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def exhibit(file: str, names: tuple[str, ...], one: dict[str, str], other: dict[str, str]) -> Exhibit:
    """Lay the sources of two frameworks, by name, side by side: what has the same name begins on the same line."""
    sides: tuple[list[Line], list[Line]] = ([], [])
    for name in names:
        sources = one.get(name, ""), other.get(name, "")
        for side, source, lines in zip(sides, sources, align(*sources)):
            begun = any(line.kind != BLANK for line in side)  # between two pieces of code stands an empty line
            side += ([Line("", SAME if source and begun else BLANK)] if side else []) + lines
    return Exhibit(file, *sides, (sum(map(count, one.values())), sum(map(count, other.values()))))


def align(one: str, other: str) -> tuple[list[Line], list[Line]]:
    """Lay two sources side by side: equal lines face each other, and the others are marked."""
    lines = one.splitlines(), other.splitlines()
    sides: tuple[list[Line], list[Line]] = ([], [])
    matcher = difflib.SequenceMatcher(lambda line: len(line.strip()) < TRIVIAL, lines[0], lines[1], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        height = max(b - a, d - c)
        for side, own in zip(sides, (lines[0][a:b], lines[1][c:d])):
            side += [Line(text, SAME if kind == "equal" or not text.strip() else DIFFERS) for text in own]
            side += [Line("", BLANK)] * (height - len(own))
    return sides


def count(source: str) -> int:
    """Count lines of code, without comments, docstrings and blank lines."""
    texts = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Expr)
             and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)]
    prose = {line for node in texts for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return sum(number not in prose and bool(re.sub(r"^\s*#.*", "", line).strip())
               for number, line in enumerate(source.splitlines(), 1))
