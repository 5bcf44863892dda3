"""How figures look, and how they are written: sizes of a paper, and lines that stay apart.

Colours are those of Okabe and Ito without yellow, which is faint on white; markers and dashes tell
lines apart in black and white. Figures are white, so that they read on a dark page, too.

Source: Okabe & Ito (2008). Color universal design. https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec, TypeVar

from ordbench.errors import SpecError
from ordbench.utils.extras import extra
from ordbench.utils.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")
Width = Literal["column", "page"]
INCHES: dict[Width, float] = {"column": 3.35, "page": 6.9}  # 85 and 175 mm
FORMATS = (".svg", ".pdf", ".png")
GREY, FAINT = "#6e6e6e", "#c4c4c4"
MAP = "Blues"  # the darker the higher, in colour or not
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("-", "--", "-.", ":")
_SETTINGS = {
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same file on every machine
    "font.size": 8,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "pdf.fonttype": 42,  # TrueType, which publishers want
    "savefig.facecolor": "white",
    "svg.hashsalt": "ordbench",  # names inside the file are the same each time
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}


class Look(NamedTuple):
    """What tells one line from the others."""

    color: str
    marker: str
    linestyle: str


def look(index: int) -> Look:
    """The look of the line of that number; the first 28 differ.

    >>> look(0)
    Look(color='#0072B2', marker='o', linestyle='-')
    >>> len({look(index) for index in range(28)})
    28
    """
    size = len(_COLORS)
    return Look(_COLORS[index % size], _MARKERS[index % size], _DASHES[index % len(_DASHES)])


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """A look for each label, by their alphabet: figures of the same heads look alike."""
    return {label: look(index) for index, label in enumerate(sorted(set(labels)))}


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Let a function draw in this style; matplotlib is imported when it is called.

    Raises:
        SpecError: On the call, if matplotlib is not installed.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        with extra("matplotlib", "plot").rc_context(_SETTINGS):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: Width, height: float) -> Figure:
    """An empty figure as wide as a column or a page, ``height`` inches high."""
    from matplotlib.figure import Figure

    return Figure(figsize=(INCHES[width], height), layout="constrained")


def check_format(path: Path) -> None:
    """Refuse a file that no figure can be written to.

    Raises:
        SpecError: If its ending is none of `FORMATS`.
    """
    if path.suffix.lower() not in FORMATS:
        raise SpecError(f"{path}: a figure is written as {', '.join(FORMATS)}; choose one of these")


@styled
def save(figure: Figure, path: Path) -> None:
    """Write a figure; the same figure gives the same bytes.

    Args:
        figure: Of any of the functions of `ordbench.plots`.
        path: A name that ends in one of `FORMATS`.

    Raises:
        SpecError: If it ends otherwise.
        StoreError: If it cannot be written.
    """
    check_format(path)
    format = path.suffix.lower().removeprefix(".")
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    content = io.BytesIO()
    figure.savefig(content, format=format, dpi=300, metadata=undated[format])
    write_atomic(path, content.getvalue())


def figure_of(axes: Axes) -> Figure:
    """The whole figure that axes are part of."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure
