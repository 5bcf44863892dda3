"""Packages that are broken in odd ways: one line that says whose fault it is."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.data.loading import open_dataset
from ordbench.errors import BrokenPluginError
from ordbench.plugins.catalog import entries
from ordbench.plugins.registry import BACKBONES, DECODES, HEADS, PROTOCOLS
from ordbench.runs.identity import owner_of

Install = Callable[..., None]
HEAD = """
from ordbench import Head, DatasetCard, Dataset, Samples
class Bare(Head):
    def __init__(self, problem): super().__init__(problem)
    def forward(self, features): ...
    def loss(self, outputs, ranks): ...
    def posterior(self, outputs): ...
"""
CARD = "DatasetCard(title='t', source='s', licence='l', how_to_get='h', layout='x', ranks='r')"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package of one module, called as its plug-in, where this process finds it."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(
        group: str, points: str, code: str = HEAD, *, module: str = "odd", name: str = "odd"
    ) -> None:
        monkeypatch.delitem(sys.modules, module, raising=False)
        (tmp_path / f"{module}.py").write_text(code)
        metadata = tmp_path / f"{name}-1.dist-info"
        metadata.mkdir()
        (metadata / "entry_points.txt").write_text(f"[ordbench.{group}]\n{points}\n")
        if name != "nameless":
            (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        monkeypatch.syspath_prepend(tmp_path / name)  # another path: entry points are looked up

    return put


@pytest.mark.parametrize(
    ("point", "code", "said"),
    [
        ("nowhere:Bare", "", "cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("odd:Gone", HEAD, "cannot be imported: AttributeError: .*no attribute 'Gone'"),
        ("odd:Bare", "def (:", "cannot be imported: SyntaxError"),
        ("odd:Bare", "raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("odd:Bare", "raise ValueError('two\\nlines')", "ValueError: two lines$"),
        ("odd Bare:x", HEAD, "wanted MODULE:NAME behind its entry point"),
        ("odd", HEAD, "wanted a subclass of ordbench.Head or ordbench.PointHead, got <module"),
        ("odd:x", "x = 3", "wanted a subclass of ordbench.Head or ordbench.PointHead, got 3"),
        ("odd:C", "class C: pass", "wanted a subclass of ordbench.Head or .*, got <class 'odd.C'>"),
        ("odd:Bare", HEAD.replace("def posterior", "def other"), "class Bare lacks posterior"),
        (
            "odd:Bare",
            f"{HEAD}    recipe = {{'epochs': 3}}",
            "needs the attribute recipe, of class Recipe; it has {'epochs': 3}",
        ),
        (
            "odd:Bare",
            HEAD.replace("problem):", "problem, *, width=3):", 1),
            "its option 'width' has no type; write one, such as width: int",
        ),
        (
            "odd:Bare",
            HEAD.replace("problem):", "problem, *, width: 'Gone' = 3):", 1),
            "the types of its options cannot be read: name 'Gone' is not defined",
        ),
        (
            "odd:Bare",
            HEAD.replace("problem):", "problem, *, width: Head = 3):", 1),
            "its option 'width' cannot be typed as <class 'ordbench.head.Head'>; take bool, int",
        ),
    ],
)
def test_a_head_that_is_none_is_refused_in_one_line(
    install: Install, point: str, code: str, said: str
) -> None:
    install("heads", f"bad = {point}", code)
    with pytest.raises(BrokenPluginError, match=rf"^head 'bad' of odd \({point}\).*{said}"):
        HEADS["bad"]


def test_what_is_broken_is_a_row_and_stops_no_other(install: Install) -> None:
    install("datasets", "bad = odd:Bare")
    rows = {row.name: row.broken for row in entries("datasets")}
    assert rows.pop("bad").startswith("dataset 'bad' of odd (odd:Bare) cannot be used: wanted")
    assert set(rows.values()) == {""}


@pytest.mark.parametrize("name", ["all", "a:b", "a,b", "a*", "a?", "[a]", 'a"b', "a\x1b[31m"])
def test_a_name_that_cannot_be_typed_is_refused(install: Install, name: str) -> None:
    install("heads", f"{name} = odd:Bare")
    with pytest.raises(BrokenPluginError, match=r"cannot be typed: .* rename its entry point"):
        HEADS[name]


@pytest.mark.parametrize("name", ["two words", "UPPER", "größe", "odd++", "a@b"])
def test_other_names_are_as_good_as_ours(install: Install, name: str) -> None:
    install("heads", f"{name} = odd:Bare")
    assert HEADS[name].__name__ == "Bare"


def test_two_packages_with_one_name_are_both_named(install: Install) -> None:
    install("heads", "twice = odd:Bare")
    install("heads", "twice = odd2:Bare", module="odd2", name="odd2")
    with pytest.raises(BrokenPluginError, match=r"by odd \(odd:Bare\) and odd2 \(odd2:Bare\)"):
        HEADS["twice"]


def test_a_package_without_a_name_is_unknown(install: Install) -> None:
    install("heads", "lost = odd:Bare", name="nameless")
    assert HEADS["lost"].__name__ == "Bare"
    assert HEADS.package("lost") == "unknown"
    assert owner_of("lost") == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def read(self): ...", "needs the attribute card, of class DatasetCard; it has none"),
        ("card = 3\n    def read(self): ...", "attribute card, of class DatasetCard; it has 3"),
        (f"card = {CARD}", "its class D lacks read"),
        (f"card = {CARD}\n    def read(self): return 3", "must return ordbench.Samples, got 3"),
        (f"card = {CARD}\n    def read(self): return {{}}['k']", "cannot be read: KeyError: 'k'"),
    ],
)
def test_a_dataset_that_is_none_is_refused_in_one_line(
    install: Install, body: str, said: str
) -> None:
    install("datasets", "bad = odd:D", f"{HEAD}class D(Dataset):\n    {body}\n")
    with pytest.raises(BrokenPluginError, match=f"^dataset 'bad'.*{said}"):
        open_dataset("bad")


def test_other_plugins_that_are_none_are_refused_in_one_line(install: Install) -> None:
    for group in ("backbones", "protocols", "decodes"):
        install(group, "bad = odd:x", "x = 3", name=group)
    for registry, wanted in (
        (BACKBONES, "a subclass of ordbench.BackboneFamily"),
        (PROTOCOLS, "a subclass of ordbench.SplitProtocol"),
        (DECODES, "a function"),
    ):
        with pytest.raises(BrokenPluginError, match=f"cannot be used: wanted {wanted}, got 3"):
            registry["bad"]
