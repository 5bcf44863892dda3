import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from ordbench.errors import SpecError
from ordbench.plots.style import looks, new_figure, save, styled


@styled
def draw() -> Figure:
    figure = new_figure("column", 1.0)
    figure.subplots().plot([0, 1], [0, 1], marker="o")
    return figure


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_same_figure_gives_the_same_bytes(ending: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    save(draw(), first)
    save(draw(), second)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_an_unknown_ending_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"a\.jpg: a figure is written as \.svg, \.pdf, \.png"):
        save(draw(), tmp_path / "a.jpg")
    assert not [*tmp_path.iterdir()]


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SpecError, match=r"run: pip install 'ordbench\[plot\]'"):
        draw()


def test_figures_load_neither_matplotlib_nor_torch_before_they_are_drawn() -> None:
    program = "import sys, ordbench.plots.kinds; print({'torch', 'matplotlib'} & set(sys.modules))"
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (got.stdout, got.stderr) == ("set()\n", "")


def test_heads_look_alike_whatever_their_order_in_a_table() -> None:
    assert looks(["linear", "coop", "linear"]) == looks(["coop", "linear"])
