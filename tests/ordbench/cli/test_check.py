"""`ordbench check-head` and its like: a file of the current folder, or a registered name."""

import json
import re
import sys
from pathlib import Path

import pytest

from ordbench.cli.main import main
from ordbench.scaffold.package import new_package

BROKEN = """
from ordbench import Head, Problem
from torch import Tensor, nn
from torch.nn import functional as F


class Broken(Head):
    def __init__(self, problem: Problem, *, scale: float = 2.0) -> None:
        super().__init__(problem)
        self.score = nn.Linear(problem.in_features, self.num_ranks)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        return self.score(features)

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        raise RuntimeError("no loss yet")

    def posterior(self, outputs: Tensor) -> Tensor:
        return self.scale * outputs.softmax(-1)
"""
LINE = 1 + BROKEN.splitlines().index('        raise RuntimeError("no loss yet")')


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("broken_head", "few_cells"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ordbench", *arguments])
    return main()


def test_a_broken_head_of_a_file_here_fails_with_its_reasons_and_lines(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "broken_head.py").write_text(BROKEN)
    assert call(monkeypatch, "check-head", "broken_head:Broken", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["head"] == "broken_head:Broken"
    checks = {one["check"]: one for one in found["checks"]}
    learns = checks["recipe_learns_a_line"]
    assert learns["state"] == "failed"
    assert learns["reason"] == "RuntimeError: no loss yet"
    assert learns["place"] == f"broken_head.py:{LINE}"
    assert checks["posterior_is_a_mass_function"]["reason"].startswith("sums")
    assert checks["position_is_within_the_ranks"]["state"] == "ok"
    assert found["speed"]["training_step"] == "RuntimeError: no loss yet"
    assert found["speed"]["prediction"]["estimate"] > 0


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("no_module:Mine", "no head and no module is called 'no_module'"),
        ("broken_head:Brokn", "has no attribute 'Brokn'"),
        ("broken_head:Problem", "wanted a subclass of ordbench.Head or ordbench.PointHead"),
        ("broken_head:Broken:scal=1", "no option 'scal'; did you mean scale?"),
        ("broken_head:Broken:mine", "'mine' is not KEY=VALUE"),
        ("liner", "did you mean linear?"),
        ("broken_head", "'broken_head' is a module; write broken_head:CLASS"),
        ("linear:l2=-1", "head 'linear': l2=-1.0 must be at least 0"),
    ],
)
def test_what_is_no_head_is_refused_in_one_line(
    typed: str,
    said: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (here / "broken_head.py").write_text(BROKEN)
    assert call(monkeypatch, "check-head", typed) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not shown.out


def test_the_files_of_a_dataset_may_be_missing(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "check-dataset", "fgnet", "--data-root", str(here)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "ok       card_is_filled" in lines
    assert any(
        re.fullmatch(r"FAILED   images_open: .* \(.*fgnet\.py:\d+\)", line) for line in lines
    )
    assert call(monkeypatch, "check-dataset", "folder") == 2
    assert "needs a path" in capsys.readouterr().err


def test_what_passes_is_said_and_what_does_not_apply(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(new_package("backbone", "few-cells"))
    assert call(monkeypatch, "check-backbone", "few_cells:FewCells:2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "ok       features_are_as_said" in lines
    assert "skipped  text_tower_answers_in_the_joint_space: it has no text tower" in lines
    assert lines[-1] == "7 checks: 6 ok, 1 skipped"
    assert call(monkeypatch, "check-backbone", "few_cells:FewCells:two") == 2
    assert "wanted 1 to 64 cells a side" in capsys.readouterr().err
