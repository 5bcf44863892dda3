"""The papers behind leaderboards: of their heads, datasets, backbones and protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ordbench.leaderboard.table import Table
from ordbench.plugins.catalog import Kind, entry
from ordbench.plugins.citation import Reference, references
from ordbench.plugins.reference import PluginRef
from ordbench.results.rows import RunRow
from ordbench.utils.environment import version_of

ORDBENCH = Reference(
    authors=("The ordbench maintainers",),
    year="2026",
    title="ordbench: ordinal-regression heads, compared fairly on one backbone interface",
    venue=f"Version {version_of('ordbench')}",
)


class Bibliography:
    """The papers of all that some leaderboards show, and of ordbench.

    Args:
        tables: As `ordbench.leaderboard.build.build` makes them.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        cells = (cell for table in tables for found in table.cells.values() for cell in found)
        shown = dict.fromkeys(one for cell in cells for one in plugins_of(cell.first))
        self._papers: dict[tuple[Kind, str], list[Reference]] = {}
        self._without: list[str] = []
        for kind, name in shown:
            about = entry(kind, name)
            try:
                papers = references(about.source, name)
            except ValueError as error:
                papers, about = [], about._replace(broken=str(error))
            self._papers[kind, name] = papers
            if not papers:
                reason = about.broken or about.source or "no source"
                self._without.append(f"{kind.removesuffix('s')} {name}: {reason}")

    def cite(self, kind: Kind, names: Iterable[str]) -> str:
        r"""What LaTeX cites after some names, as in ``~\cite{li2022ordinalclip}``; may be empty."""
        papers = [paper for name in names for paper in self._papers.get((kind, name), ())]
        return cite(papers)

    def __str__(self) -> str:
        """A file for BibTeX: each paper once, and in comments what has none."""
        papers = [ORDBENCH, *(paper for found in self._papers.values() for paper in found)]
        entries = {paper.key: paper.bibtex for paper in papers}
        comments = [f"% no paper: {text.replace('@', ' at ')}\n" for text in self._without]
        return "".join(comments) + "\n".join(f"{text}\n" for text in entries.values())


def cite(papers: Iterable[Reference]) -> str:
    """A command of LaTeX that cites papers; empty for none."""
    keys = ",".join(dict.fromkeys(paper.key for paper in papers))
    return rf"~\cite{{{keys}}}" if keys else ""


def to_bibtex(tables: Sequence[Table]) -> str:
    """The papers behind leaderboards as a file for BibTeX."""
    return str(Bibliography(tables))


def plugins_of(run: RunRow) -> Iterator[tuple[Kind, str]]:
    """Kind and registered name of all that a run was made of."""
    yield "heads", run.head
    yield "datasets", run.dataset
    if tested := str(run.other.get("test_dataset", "")):
        yield "datasets", name_of(tested)
    yield "backbones", name_of(run.backbone)
    if run.text:
        yield "backbones", name_of(run.text)
    yield "protocols", name_of(run.protocol)


def name_of(typed: str) -> str:
    """The plug-in in ``clip:tiny`` or ``kfold:folds=3``."""
    return PluginRef.parse(typed).name
