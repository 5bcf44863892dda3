"""The command line: parse, call one function, print. No logic lives here."""

from __future__ import annotations

import logging
import sys
from errno import EACCES, EIO, ENAMETOOLONG, ENOSPC, EPERM, EROFS, ESTALE
from io import TextIOWrapper
from typing import Annotated

import typer

from ordbench.cli.check import check_backbone, check_dataset, check_head
from ordbench.cli.compare import compare
from ordbench.cli.data import data_app
from ordbench.cli.export import export
from ordbench.cli.latency import latency
from ordbench.cli.ls import ls
from ordbench.cli.new import new_backbone, new_dataset, new_head
from ordbench.cli.plot import plot
from ordbench.cli.predict import predict
from ordbench.cli.report import report
from ordbench.cli.reproduce import reproduce
from ordbench.cli.results import results_app
from ordbench.cli.run import run
from ordbench.cli.show import show
from ordbench.cli.split import split_app
from ordbench.cli.status import status
from ordbench.cli.table import table
from ordbench.errors import OrdbenchError, TrainingError
from ordbench.utils.wording import wanted

FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130  # exit codes; 130 is what shells give a Ctrl-C
# What is wrong with a path or a disk, and not with the program.
_OUTSIDE = {EACCES, EIO, ENAMETOOLONG, ENOSPC, EPERM, EROFS, ESTALE}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    run,
    status,
    table,
    compare,
    report,
    reproduce,
    plot,
    predict,
    export,
    latency,
    ls,
    show,
    new_head,
    new_dataset,
    new_backbone,
    check_head,
    check_dataset,
    check_backbone,
):
    app.command()(command)
app.add_typer(data_app, name="data", help="Get and verify datasets.")
app.add_typer(split_app, name="split", help="Show or write a split into training and test images.")
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


class _Handler(logging.Handler):
    """Prints warnings on the standard error of the moment, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"ordbench: {record.getMessage()}", file=sys.stderr)


def _show_warnings() -> None:
    """Print warnings, however the libraries that are imported later set up their logging."""
    logger = logging.getLogger("ordbench")
    for handler in [one for one in logger.handlers if isinstance(one, _Handler)]:
        logger.removeHandler(handler)  # of an earlier call
    logger.addHandler(_Handler())
    logger.propagate = False


def _outside(error: OSError) -> str:
    """One line for what a disk, or the rights on it, do not allow."""
    if error.errno == ENOSPC:
        return "no space left to write the output; free space or write elsewhere"
    return f"{error.filename}: {error.strerror}; get the right to use it, or name another path"


def _plain(error: typer.TyperException) -> str:
    """What Typer refuses, without the words of pydantic, which reads the values."""
    from pydantic import ValidationError

    if isinstance(error.__cause__, ValidationError):
        error.message = wanted(error.__cause__.errors())
    return error.format_message()


def main() -> int:
    """Run the command line and return its exit code.

    0: done. 1: runs failed. 2: the command cannot be carried out as typed; one line says why.
    130: interrupted by Ctrl-C.
    """
    _show_warnings()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a character shows "?"
    try:
        code: int = app(prog_name="ordbench", standalone_mode=False) or 0
        if code != INTERRUPTED:
            return code
        message = "Interrupted. Run the same command again to resume."
    except OrdbenchError as error:
        code, message = FAILED if isinstance(error, TrainingError) else UNUSABLE, str(error)
    except OSError as error:
        if error.errno not in _OUTSIDE:
            raise
        code, message = UNUSABLE, _outside(error)
    except typer.TyperException as error:
        # Typer would draw it in a box that breaks a long path over lines.
        said = _plain(error).rstrip(".")
        if not said:  # no command was typed, and the help has been printed
            return UNUSABLE
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "ordbench"
        code, message = UNUSABLE, f"{said}; see {command} --help"
    print(f"ordbench: {' '.join(message.split())}", file=sys.stderr)
    return code
