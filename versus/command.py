"""Run a function as a command: a user's mistake ends it with one message, never a traceback."""

import inspect
import sys
from collections.abc import Callable


def run(main: Callable, *arguments: str) -> None:
    """Call `main(*arguments)`; on a ValueError, or on a wrong number of arguments, print a message and exit with 1."""
    try:
        inspect.signature(main).bind(*arguments)
    except TypeError:
        expected = ", ".join(inspect.signature(main).parameters) or "none"
        sys.exit(f"ERROR: got the arguments {', '.join(arguments) or 'none'}; expected {expected}: dvc.yaml shows how "
                 "each stage is called")
    try:
        main(*arguments)
    except ValueError as error:
        sys.exit(f"ERROR: {error}")
