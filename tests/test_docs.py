"""What README and docs show works: Python runs, commands parse, those that need no data run."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from inspect import isabstract
from itertools import groupby
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import numpy as np
import pytest
import typer

from ordbench.cli.main import app, main
from ordbench.sweeps.spec import SweepSpec

ROOT = Path(__file__).parent.parent
SITE = ROOT / "scripts" / "site"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Their commands run one after the other in one folder, and so do not cost a grid each.
RUN = {"tutorial.md", "your-images.md"}
NEEDS = re.compile(r"ViT-B-16")  # weights that are not here
OTHERS = {"&&", "cd", "make", "pip", "ray"}  # programs whose options are not ours


class Block(NamedTuple):
    """A block of code: its language, and its text without the indentation of a list."""

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", page.read_text("utf-8"), re.M | re.S)
    return [Block(language, dedent(text)) for _, language, text in found]


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each command of a console block; a program's output has no dollar sign."""
    if block.language == "console":
        for line in re.sub(r"\\\n", " ", block.text).splitlines():
            if line.startswith("$ "):
                words = shlex.split(line[2:], comments=True)
                for _, one in groupby(words, lambda word: word == "&&"):
                    yield [*one]


def parse(words: list[str]) -> None:
    """Parse a command as Typer does, and run nothing."""
    command: Any = typer.main.get_command(app)
    name, context = words[0], None
    rest = words[1:]
    while True:
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "commands"):
            return
        name, command, rest = command.resolve_command(
            context, context._protected_args + context.args
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_can_be_typed(page: Path) -> None:
    for block in blocks(page):
        for words in commands(block):
            if words[0] not in OTHERS:
                assert words[0] in {"ordbench", ".venv/bin/python", "python"}, words
            if words[0] == "ordbench":
                parse(words)


def test_a_command_that_cannot_be_typed_is_found() -> None:
    for words in (["ordbench", "rum"], ["ordbench", "run", "--heads", "linear"]):
        with pytest.raises(typer.TyperException):
            parse(words)


@pytest.fixture
def empty_folder(
    tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    for name, value in (("CACHE", shared_cache), ("DATA", tmp_path / "data")):
        monkeypatch.setenv(f"ORDBENCH_{name}", str(value))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    sys.modules.pop("my_package", None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_shown_runs(
    page: Path,
    empty_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    features = np.random.default_rng(0).normal(size=(30, 4))
    known: dict[str, Any] = {"features": features, "labels": np.arange(30) % 3}
    module = ""
    for block in blocks(page):
        if block.language == "python":
            if "class " in block.text:  # a plug-in: others import its module
                module += block.text
                (empty_folder / "my_package.py").write_text(module)
                known |= vars(import_module("my_package"))
                plugins = [one for one in known.values() if isinstance(one, type)]
                unfinished = [one for one in plugins if isabstract(one)]
                assert "my_package" not in {one.__module__ for one in unfinished}
            else:
                exec(compile(block.text, page.name, "exec"), known)
        if page.name in RUN:
            for words in commands(block):
                if words[0] == "ordbench" and not NEEDS.search(" ".join(words)):
                    assert run(words, monkeypatch, capsys) == 0, words


def run(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> int:
    """Run a command in this process; ``RUN`` stands for the first run that is there."""
    if "RUN" in words:
        capsys.readouterr()
        assert run(["ordbench", "ls", "runs", "--json"], monkeypatch, capsys) == 0
        first = json.loads(capsys.readouterr().out)[0]["run_id"]
        words = [first if word == "RUN" else word for word in words]
    monkeypatch.setattr(sys, "argv", words)
    return main()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_shown_can_be_read(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml":
            plan = tmp_path / "plan.yaml"
            plan.write_text(block.text)
            assert SweepSpec.from_options(plan).expand()
        if block.language == "toml":
            entry_points = tomllib.loads(block.text)["project"]["entry-points"]
            ((group, offers),) = entry_points.items()
            assert group in {"ordbench.heads", "ordbench.datasets", "ordbench.backbones"}
            for offer in offers.values():
                module, _, name = offer.partition(":")
                assert module == "my_package"
                assert f"class {name}(" in page.read_text("utf-8")


@pytest.fixture(scope="module")
def site() -> Iterator[None]:
    """The modules that make the generated pages import each other by bare name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SITE))
        yield
        for path in SITE.glob("*.py"):
            sys.modules.pop(path.stem, None)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("module", ["doctests", "prose"])
def test_the_examples_of_the_site_are_right(module: str) -> None:
    failed, tried = doctest.testmod(import_module(module))
    assert (failed, tried) == (0, 1)


@pytest.mark.usefixtures("site")
def test_the_messages_that_are_explained_stand_in_the_code() -> None:
    pages = import_module("error_pages")
    patterns = {pages.pattern(message.text) for message in pages.messages(ROOT)}
    telling = [re.compile(one) for one in patterns if len(re.findall("[a-z]", one)) > 6]
    shown = [
        line
        for block in blocks(ROOT / "docs" / "errors.md")
        if block.language == "text"
        for line in block.text.splitlines()
    ]
    assert len(shown) > 15
    assert [line for line in shown if not any(p.fullmatch(line) for p in telling)] == []


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("kind", "module", "page", "line"),
    [
        ("heads", "head_pages", "heads/ordinalclip.md", "| `base_ranks` | int | `3` |"),
        (
            "datasets",
            "dataset_pages",
            "datasets/morph.md",
            "| OrdinalCLIP | `ordinalclip` | 4.94",
        ),
    ],
    ids=["heads", "datasets"],
)
def test_each_has_a_page_of_its_own(kind: str, module: str, page: str, line: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {f"{kind}/{name}.md" for name in project["entry-points"][f"ordbench.{kind}"]}
    pages = import_module(module).pages(ROOT)
    assert {one for one in pages if one.startswith(kind)} == {*wanted, f"{kind}/index.md"}
    assert all(f"(../source/tests/{kind}/" in pages[one] for one in wanted)
    assert line in pages[page]
