"""The settings behind leaderboards, for a paper's appendix: LaTeX with array and longtable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.leaderboard.cell_texts import rows_of
from ordbench.leaderboard.grouping import tuning
from ordbench.leaderboard.latex import labels_of
from ordbench.leaderboard.table import Table
from ordbench.plugins.reference import typed_value
from ordbench.results.layout import archive_path
from ordbench.results.rows import CellRuns, RunRow
from ordbench.utils.latex import escape_latex

if TYPE_CHECKING:
    from ordbench.recipe import OptionValue

Settings = Mapping[str, str]
_EMPTY = "''"
_SHOWN = 12  # hexadecimal digits of a hash


def to_appendix(tables: Sequence[Table], results: Path) -> str:
    """One long table a leaderboard: what all its heads share, then what each has of its own.

    Args:
        tables: As `ordbench.leaderboard.build.build` makes them.
        results: The folder of their records, which hold the versions.
    """
    cells = (cell for table in tables for found in table.cells.values() for cell in found)
    versions = _versions((run_id for cell in cells for run_id in cell.run_ids), results)
    labelled = zip(tables, labels_of(tables), strict=True)
    drawn = [_long_table(*one, versions) for one in labelled]
    return "\n".join([r"% needs \usepackage{array,booktabs,longtable}", *drawn])


def _long_table(table: Table, label: str, versions: Mapping[str, Settings]) -> str:
    rows = {
        row.label: _settings([*_cells(table, row.label)], versions)
        for row in rows_of(table)
        if row is not table.reference
    }
    rows = {name: settings for name, settings in rows.items() if settings}
    shared = _shared([*rows.values()])
    head = r"    \toprule" + "\n" + r"    head & settings \\" + "\n" + r"    \midrule"
    return "\n".join(
        [
            r"\begingroup\footnotesize",
            r"  \begin{longtable}{@{}l>{\raggedright\arraybackslash}p{0.72\linewidth}@{}}",
            rf"    \caption{{Settings of the runs in Table~\ref{{{label}}}.}}"
            rf"\label{{{label}-settings}} \\",
            head,
            r"    \endfirsthead",
            head,
            r"    \endhead",
            r"    \bottomrule",
            r"    \endfoot",
            _line("all heads", shared),
            *(
                r"    \addlinespace"
                + "\n"
                + _line(name, {key: text for key, text in settings.items() if key not in shared})
                for name, settings in rows.items()
            ),
            r"  \end{longtable}",
            r"\endgroup",
            "",
        ]
    )


def _cells(table: Table, row: str) -> Iterable[CellRuns]:
    for title in table.columns:
        yield from table.cells.get((row, title), ())


def _settings(cells: Sequence[CellRuns], versions: Mapping[str, Settings]) -> Settings:
    """All that was set for the runs of one row; what they do not share is listed."""
    run_ids = [run_id for cell in cells for run_id in cell.run_ids]
    found = [
        *(_of_run(cell.first) for cell in cells),
        *(versions.get(run_id, {}) for run_id in run_ids),
    ]
    seeds = sorted({seeds for cell in cells for seeds in cell.seeds})
    pairs = {"seeds (data/train)": ", ".join(f"{data}/{train}" for data, train in seeds)}
    names = dict.fromkeys(name for settings in found for name in settings)
    return {
        name: " or ".join(sorted({one[name] for one in found if one.get(name)})) for name in names
    } | (pairs if seeds else {})


def _of_run(run: RunRow) -> Settings:
    """The settings of one run by name; empty ones do not apply."""
    recipe = {name: value for name, value in run.recipe.items() if not name.startswith("tune_")}
    return {
        "options": _listed(run.head_options),
        "recipe": _listed(recipe),
        "tuning budget": tuning(run) or "none",
        "trained numbers": f"{run.parameters or 0:,}",
        "head source": run.head_hash[:_SHOWN],
        "text encoder": run.text,
        "text weights": run.text_hash[:_SHOWN],
        "dataset": run.dataset_name,
        "dataset options": _listed(run.dataset_options),
        "images": run.image_hash[:_SHOWN],
        "labels": run.label_hash[:_SHOWN],
        "given split": run.split[:_SHOWN],
        "backbone": run.backbone,
        "backbone weights": run.backbone_hash[:_SHOWN],
        "layer": run.layer,
        "unit length": "yes" if run.normalize else "no",
        "dtype": run.dtype,
        "protocol": run.protocol,
        "fold": str(run.fold),
        **{name.replace("_", " "): typed_value(value) for name, value in run.other.items()},
    }


def _versions(run_ids: Iterable[str], results: Path) -> dict[str, Settings]:
    """The libraries that made each run, from its record."""
    from ordbench.results.archive import read_archive  # pydantic, which a table needs not
    from ordbench.results.store import read_all

    archive = archive_path(results)
    records = read_archive(archive) if archive else (one for _, one in read_all(results, run_ids))
    return {one.run_id: one.versions for one in records if not isinstance(one, ValueError)}


def _listed(values: Mapping[str, OptionValue]) -> str:
    """Names and values; a line may end after each."""
    return ", ".join(
        f"{name} {typed_value(value) or _EMPTY}" for name, value in sorted(values.items())
    )


def _shared(rows: Sequence[Settings]) -> Settings:
    """What all rows have in common."""
    first, *others = rows
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
    }


def _line(name: str, settings: Settings) -> str:
    pieces = [
        rf"\emph{{{escape_latex(key)}}} {escape_latex(text)}"
        for key, text in settings.items()
        if text
    ]
    return rf"    {escape_latex(name)} & {'; '.join(pieces) or '--'} \\"
