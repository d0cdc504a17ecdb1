"""Run a stage as a command: a user's mistake ends it with one message, never a traceback."""

import sys


def run(main):
    """Call `main()`; on a ValueError print its message and exit with 1."""
    try:
        main()
    except ValueError as error:
        sys.exit(f"ERROR: {error}")
