"""`ordbench check-head`, `check-dataset`, `check-backbone`: parse, call, print."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordbench.cli.run import DataRoot
from ordbench.utils.text import counted, printable

if TYPE_CHECKING:  # torch stays out of --help
    from ordbench.latency.timing import Ratio
    from ordbench.testing.verdicts import Verdict

FAILED = 1
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def check_head(
    head: Annotated[
        str, typer.Argument(help="NAME[:KEY=VALUE], or MODULE:CLASS[:KEY=VALUE] of a file here.")
    ],
    text: Annotated[
        str, typer.Option(help="Backbone whose text encoder it prompts, if it does.")
    ] = "clip:tiny",
    as_json: AsJson = False,
) -> None:
    """Check that a head does what every head must do; say how fast it is beside linear."""
    _import_from_here()
    from ordbench.testing.cases import typed_head
    from ordbench.testing.heads import HEAD_CHECKS
    from ordbench.testing.speed import prediction_speed, training_speed
    from ordbench.testing.verdicts import verdicts

    case = typed_head(head, text_tower=text)
    found = _shown(verdicts(HEAD_CHECKS, case, case.head_class), as_json=as_json)
    speed = {"training step": training_speed(case), "prediction": prediction_speed(case)}
    _finish("head", head, found, as_json=as_json, speed=speed)


def check_dataset(
    dataset: Annotated[
        str, typer.Argument(help="NAME, or MODULE:CLASS of a file here, with its options.")
    ],
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Check that a dataset, whose files are here, does what every dataset must do."""
    _import_from_here()
    from ordbench.testing.cases import typed_dataset
    from ordbench.testing.datasets import DATASET_CHECKS
    from ordbench.testing.verdicts import verdicts

    case = typed_dataset(dataset, data_root=data_root)
    found = _shown(verdicts(DATASET_CHECKS, case, case.dataset_class), as_json=as_json)
    _finish("dataset", dataset, found, as_json=as_json)


def check_backbone(
    backbone: Annotated[
        str, typer.Argument(help="FAMILY:ARGUMENT, or MODULE:CLASS:ARGUMENT of a file here.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check that a backbone does what every backbone must do."""
    _import_from_here()
    from ordbench.testing.backbones import BACKBONE_CHECKS
    from ordbench.testing.cases import typed_backbone
    from ordbench.testing.verdicts import verdicts

    case = typed_backbone(backbone)
    found = _shown(verdicts(BACKBONE_CHECKS, case, case.family_class), as_json=as_json)
    _finish("backbone", backbone, found, as_json=as_json)


def _import_from_here() -> None:
    """Find modules in the current folder first, as `python -m` does."""
    sys.path.insert(0, str(Path.cwd()))


def _shown(found: Iterable[Verdict], *, as_json: bool) -> list[Verdict]:
    """The verdicts, each printed as soon as it is there unless JSON is."""
    kept: list[Verdict] = []
    for one in found:
        kept.append(one)
        if not as_json:
            typer.echo(_line(one))
    return kept


def _line(one: Verdict) -> str:
    state = one.state.upper() if one.state == "failed" else one.state
    reason = f": {printable(one.reason)}" if one.reason else ""
    place = f" ({one.place})" if one.place else ""
    return f"{state:<8} {one.check}{reason}{place}"


def _finish(
    kind: str,
    name: str,
    found: list[Verdict],
    *,
    as_json: bool,
    speed: Mapping[str, Ratio | str] | None = None,
) -> None:
    if as_json:
        content: dict[str, object] = {kind: name, "checks": [one._asdict() for one in found]}
        if speed is not None:
            content["speed"] = {
                what.replace(" ", "_"): taken if isinstance(taken, str) else taken._asdict()
                for what, taken in speed.items()
            }
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        for what, taken in (speed or {}).items():
            typer.echo(f"speed    {what}: {_times(taken)}")
        counts = Counter(one.state for one in found)
        listed = (f"{count} {state}" for state, count in counts.items())
        typer.echo(f"{counted(len(found), 'check')}: {', '.join(listed)}")
    if any(one.state == "failed" for one in found):
        raise typer.Exit(FAILED)


def _times(taken: Ratio | str) -> str:
    if isinstance(taken, str):
        return f"not timed: {printable(taken)}"
    low, high = taken.low, taken.high
    return f"{taken.estimate:.2f} times as long as linear (95 %: {low:.2f} to {high:.2f})"
