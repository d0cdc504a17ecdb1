"""Run a function as a command: a user's mistake ends it with one message, never a traceback."""

import sys
from collections.abc import Callable


def run(main: Callable, *arguments: str) -> None:
    """Call `main(*arguments)`; on a ValueError print its message and exit with 1."""
    try:
        main(*arguments)
    except ValueError as error:
        sys.exit(f"ERROR: {error}")
