"""The program `ordbench`, and `python -m ordbench`: a process that lives for one command."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress

from ordbench.cli.main import main


def program() -> int:
    """Run the command line and give its exit code, without housekeeping that only costs time.

    Imports make half a million objects that live to the end. Looking for garbage among them takes
    a tenth of the imports' time, and taking them apart at the end takes more than a second.
    """
    gc.set_threshold(100_000)
    code = 1  # what Python itself makes of an exception that nobody catches

    def leave() -> None:
        with suppress(OSError):  # such as a closed pipe, which Python then reports as always
            print(end="", flush=True)
            print(end="", file=sys.stderr, flush=True)
            os._exit(code)

    atexit.register(leave)  # the first to be registered is the last to be called
    try:
        code = main()
    except SystemExit as left:  # typer's way, once it has written what a shell completes with
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
        raise
    return code


if __name__ == "__main__":
    sys.exit(program())
