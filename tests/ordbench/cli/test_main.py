"""The frame of the command line: help, exit codes, and calls from one process."""

import sys
from collections.abc import Iterator
from typing import get_args, get_type_hints

import pytest
import typer
from rich.text import Text

from ordbench.cli.main import app, main
from ordbench.cli.run import run
from ordbench.training.samplers import Tuning


def commands(group: object, path: str = "ordbench") -> Iterator[tuple[str, object]]:
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app)))


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ordbench", *arguments])
    return main()


@pytest.mark.parametrize("path", COMMANDS)
def test_h_is_help_everywhere(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, *path.split()[1:], "-h") == 0
    assert f"Usage: {path}" in capsys.readouterr().out


@pytest.mark.parametrize("path", COMMANDS)
def test_no_help_text_has_square_brackets_that_rich_takes_for_markup(path: str) -> None:
    command = COMMANDS[path]
    texts = [getattr(command, "help", None)]
    for parameter in getattr(command, "params", []):
        default = getattr(parameter, "show_default", None)
        texts += [getattr(parameter, "help", None), default if isinstance(default, str) else None]
    for text in filter(None, texts):
        assert Text.from_markup(text).plain == text


def test_a_warning_is_printed_once_however_often_main_was_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import logging

    for _ in range(2):
        assert call(monkeypatch, "--version") == 0
    logging.getLogger("ordbench.somewhere").warning("one image is broken")
    assert capsys.readouterr().err == "ordbench: one image is broken\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("nonsense",), "No such command 'nonsense'; see ordbench --help"),
        (("data", "status", "utkface"), "(utkface); see ordbench data status --help"),
        (("ls", "hats"), "'hats' is not one of"),
        (("run", "--head", "corall", "--dataset", "drawn-faces"), "unknown head 'corall'"),
        (("table", "nowhere"), "nowhere"),
        (("show", "head", "corall"), "unknown head 'corall'; did you mean coral"),
        (("show", "backbone", "clop:RN50"), "unknown backbone 'clop'; did you mean clip?"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_2(
    arguments: tuple[str, ...],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *arguments) == 2
    printed = capsys.readouterr().err
    assert line in printed
    assert printed.startswith("ordbench: ")
    assert printed.count("\n") == 1


def test_a_path_that_a_disk_refuses_is_one_line_and_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "a" * 300
    assert call(monkeypatch, "table", long) == 2
    expected = f"ordbench: {long}: File name too long; get the right to use it, or name another"
    assert capsys.readouterr().err.startswith(expected)


def test_an_error_of_the_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "a module of ordbench")

    monkeypatch.setattr("ordbench.leaderboard.loading.load_cells", broken)
    with pytest.raises(FileNotFoundError):
        call(monkeypatch, "table")


def test_the_samplers_of_the_command_line_are_those_of_a_tuning() -> None:
    choices, _none = get_args(get_type_hints(run)["sampler"])
    assert choices == Tuning.model_fields["sampler"].annotation
