"""What the saved classifiers say of new images: lines for people, CSV and JSON for programs, written as they come."""

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from versus.frameworks import COMPETITORS
from versus.frameworks.stream import Result


class Writer(Protocol):
    """Writes a row for each result."""

    def write(self, result: Result) -> None: ...


def ranked(probabilities: Sequence[float], classes: Sequence[str], top: int) -> list[tuple[str, float]]:
    """Return the most probable classes, at most `top`, with their probabilities; of equal ones the first.

    >>> ranked([0.2, 0.5, 0.3], ["a", "b", "c"], 2)
    [('b', 0.5), ('c', 0.3)]
    """
    order = sorted(range(len(classes)), key=lambda k: -probabilities[k])
    return [(classes[k], probabilities[k]) for k in order[:top]]


def name_of(path: Path) -> str:
    """Return a path as text that can be printed, even if its name is not UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


class Lines:
    """A line for each file: the most probable classes of each framework, side by side."""

    def __init__(self, output: Any, files: Sequence[Path], frameworks: Sequence[str], classes: Sequence[str], top: int):
        self.write_line, self.classes, self.top = output, classes, top
        self.width = min(max((len(name_of(file)) for file in files), default=0), 60)
        self.own = max(map(len, classes))
        self.cell = (self.own + len(" 0.982 ")) * min(top, len(classes)) - 1
        if len(frameworks) > 1 or top > 1:
            self.write_line(self._line("", [COMPETITORS[name].title for name in frameworks]))

    def write(self, result: Result) -> None:
        """Write a line at once, even to a pipe."""
        cells = [" ".join(f"{name:{self.own}} {value:.3f}" for name, value in ranked(own, self.classes, self.top))
                 for own in result.probabilities.values()]
        self.write_line(self._line(name_of(result.file), cells or [result.problem]))
        sys.stdout.flush()

    def _line(self, first: str, cells: Sequence[str]) -> str:
        return "  ".join([f"{first:{self.width}}", *(f"{cell:{self.cell}}" for cell in cells)]).rstrip()


class Csv:
    """CSV: file, then for each framework its classes and probabilities from the most probable on, then the problem."""

    def __init__(self, stream: IO[str], frameworks: Sequence[str], classes: Sequence[str], top: int):
        self.stream, self.writer, self.classes = stream, csv.writer(stream, lineterminator="\n"), classes
        self.top, self.frameworks = min(top, len(classes)), frameworks
        columns = [f"{framework}_{what}{rank or ''}" for framework in frameworks
                   for rank in (0, *range(2, self.top + 1)) for what in ("class", "probability")]
        self.writer.writerow(["file", *columns, "problem"])

    def write(self, result: Result) -> None:
        cells = [cell for framework in self.frameworks for pair in self._pairs(result, framework) for cell in pair]
        self.writer.writerow([name_of(result.file), *cells, result.problem])
        self.stream.flush()

    def _pairs(self, result: Result, framework: str) -> list[tuple]:
        if result.problem:
            return [("", "")] * self.top
        return [(name, f"{value:.6g}") for name, value in
                ranked(result.probabilities[framework], self.classes, self.top)]


class Json:
    """JSON, an object a line: file, and of each framework the classes and probabilities; or file and problem."""

    def __init__(self, stream: IO[str], classes: Sequence[str], top: int):
        self.stream, self.classes, self.top = stream, classes, top

    def write(self, result: Result) -> None:
        row: dict[str, Any] = {"file": name_of(result.file)}
        for framework, own in result.probabilities.items():
            row[framework] = [{"class": name, "probability": float(f"{value:.6g}")}
                              for name, value in ranked(own, self.classes, self.top)]
        if result.problem:
            row["problem"] = result.problem
        print(json.dumps(row, ensure_ascii=False), file=self.stream, flush=True)
