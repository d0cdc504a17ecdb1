"""Write into each dvc.yaml which modules each stage imports; DVC does not follow imports itself.

    python -m tests.helpers.deps
"""

import re
import textwrap

import yaml

from tests.helpers.imports import ROOT, of_command

MARK = "# code, written by `make deps`\n"
INDENT = " " * 11
WIDTH = 120


def write(text):
    """Return dvc.yaml's `text` with the modules of each stage listed behind `MARK`; ValueError if one lacks it."""
    for stage, entry in yaml.safe_load(text)["stages"].items():
        match = re.search(rf"^  {stage}:.*\n(?:(?!^  \w).*\n)*?.*{re.escape(MARK)}((?:.*\n)*?.*)\]", text, re.MULTILINE)
        if not match:
            raise ValueError(f"dvc.yaml: stage {stage!r} has no line {MARK.strip()!r} in its deps")
        modules = ", ".join(in_order(of_command(entry["cmd"])))
        lines = textwrap.fill(modules, WIDTH - 1, initial_indent=INDENT, subsequent_indent=INDENT,
                              break_long_words=False, break_on_hyphens=False)
        text = text[:match.start(1)] + lines + text[match.end(1):]
    return text


def in_order(modules):
    """The stage's own script first, then its modules, sorted."""
    return sorted(modules, key=lambda module: (not module.startswith("stages/"), module))


PIPELINES = (ROOT / "dvc.yaml", ROOT / "eras/dvc.yaml")

if __name__ == "__main__":
    for path in PIPELINES:
        path.write_text(write(path.read_text(encoding="utf-8")), encoding="utf-8")
