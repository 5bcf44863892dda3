"""The command line: parse, call one function, print. No logic lives here."""

from __future__ import annotations

import logging
import sys
from errno import ENOSPC
from io import TextIOWrapper
from typing import Annotated, Literal

import typer

from ordbench.cli.latency import latency
from ordbench.cli.results import results_app
from ordbench.cli.run import run
from ordbench.cli.split import split_app
from ordbench.cli.table import table
from ordbench.errors import OrdbenchError, TrainingError

INTERRUPTED = 130  # what Typer makes of a Ctrl-C, as shells do
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

app.add_typer(split_app, name="split", help="Show or write which images train, validate and test.")

app.add_typer(results_app, name="results", help="Verify, merge, compare or publish results.")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ordbench {version('ordbench')}")
        raise typer.Exit


@app.callback()
def ordbench(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Compare ordinal-regression heads on one backbone interface."""


app.command()(run)

app.command()(table)

app.command(name="latency")(latency)


@app.command(name="ls")
def list_plugins(
    kind: Annotated[
        Literal["heads", "datasets", "backbones"], typer.Argument(help="What to list.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the installed heads, datasets or backbones."""
    import json

    from ordbench.cli.ls import show
    from ordbench.plugins.catalog import entries

    rows = entries(kind)
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        show(rows)


def _show_warnings() -> None:
    """One line each, however the libraries that are loaded later set up their own logging."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("ordbench: %(message)s"))
    logger = logging.getLogger("ordbench")
    logger.addHandler(handler)
    logger.propagate = False


def main() -> int:
    """Run the app and give its exit code.

    What a user can mend becomes one line and code 2, failed runs one line and code 1, Ctrl-C one
    line and code 130.
    """
    _show_warnings()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows "?"
    try:
        code: int = app(standalone_mode=False) or 0
        if code != INTERRUPTED:
            return code
        message = "Interrupted. Run the same command again to resume."
    except OrdbenchError as error:
        code, message = (1 if isinstance(error, TrainingError) else 2), str(error)
    except OSError as error:
        if error.errno != ENOSPC:
            raise
        code, message = 2, "no space is left to write the output; make room or write elsewhere"
    except typer.TyperException as error:
        # Typer would draw it in a box that breaks a long path over lines.
        said = error.format_message().rstrip(".")
        if not said:  # no command was typed, and the help has been printed
            return 2
        code, message = 2, f"{said}; see ordbench --help"
    print(f"ordbench: {' '.join(message.split())}", file=sys.stderr)
    return code
