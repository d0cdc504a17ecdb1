"""Markdown that GitHub and GitLab show alike and that can be read raw."""

import re
from collections.abc import Iterable, Sequence

MARKUP = re.compile(r"[\\`*\[\]|~@#]|<(?=\S)|&(?=[\w#]+;)|\b_(?!\w)|(?<!\w)_")
LONGEST = 60  # characters of a name or a value; longer ones lose their middle


def code(text: object) -> str:
    r"""Write any text so that it is shown as it is: no markup, no mention of a person, no link, on one line.

    >>> code("a|b"), code("`x`"), code("")
    ('`a\\|b`', '`` `x` ``', '` `')
    """
    line = shorten(re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(text))) or " "
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{space}{line}{space}{fence}".replace("|", "\\|")  # as cells of tables need it


def shorten(text: str, longest: int = LONGEST) -> str:
    """Leave out the middle of a long text.

    >>> shorten("abcdefghij", 7)
    'abc…hij'
    """
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}…{text[-half:]}"


def plain(text: str) -> str:
    r"""Escape what Markdown would take for markup in a sentence; `code` in it stays.

    >>> plain("p < 0.1, a_b, *c* or <d>: see `e_|_f`")
    'p < 0.1, a_b, \\*c\\* or \\<d>: see `e_|_f`'
    """
    parts = re.split("(`[^`]+`)", " ".join(text.split()))
    return "".join(part if number % 2 else MARKUP.sub(r"\\\g<0>", part) for number, part in enumerate(parts))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table, padded so that its raw text has columns, too; all but the first column are right-aligned."""
    cells = [list(headings), *map(list, rows)]
    widths = [min(max(len(row[k]) for row in cells), LONGEST) for k in range(len(headings))]
    lines = ["| " + " | ".join(cell.ljust(width) if not k else cell.rjust(width)
                               for k, (cell, width) in enumerate(zip(row, widths))) + " |" for row in cells]
    lines.insert(1, "| " + " | ".join("-" * width if not k else "-" * (max(width, 2) - 1) + ":"
                                      for k, width in enumerate(widths)) + " |")
    return "\n".join(lines)


def image(title: str, address: str) -> str:
    """Show an image."""
    return f"![{plain(title)}]({address})"
