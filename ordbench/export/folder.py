"""A folder with a trained head that runs without ordbench, and a README."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ordbench.errors import SpecError, StoreError
from ordbench.export.deployed import DeployedHead, DeployedModel
from ordbench.export.formats import Exportable, Written, write
from ordbench.export.inputs import inputs_for
from ordbench.export.readme import MADE_BY, readme
from ordbench.head import BaseHead
from ordbench.runs.kept_head import HeadFacts
from ordbench.runs.predictor import family_of
from ordbench.runs.resources import Locations
from ordbench.runs.spec import RunSpec
from ordbench.utils.files import write_atomic

README = "README.md"
# Of the outputs' size; float32 has 1e-7, and sums over some thousand weights are less exact.
TOLERANCE = 1e-4


def export(
    head: BaseHead,
    facts: HeadFacts,
    folder: Path,
    *,
    formats: Sequence[str],
    with_backbone: bool,
    spec: RunSpec | None,
    backbone: str = "",
    settings: Locations | None = None,
) -> tuple[dict[Path, Written], str]:
    """Write a head, alone or behind its image tower, each file checked against PyTorch.

    Args:
        head: Trained.
        facts: What it is.
        folder: Where files of the same names are replaced.
        formats: As in `write`.
        with_backbone: Whether images are taken, and not features. The tower is in float32.
        spec: Its run, on samples of whose dataset the files are checked; None where unknown.
        backbone: In place of the one that the facts name, where its weights lie elsewhere.
        settings: Where datasets and caches lie.

    Returns:
        The files, and on what they were checked.

    Raises:
        SpecError: As `write`, and if a file gives other numbers than PyTorch.
        BackboneError: If the backbone cannot be had or has other weights than in the run.
        StoreError: If a file cannot be written, or there is a README that is not of an export.
    """
    _refuse_other(folder / README)
    name, facts = backbone or facts.backbone, facts.portable()
    tower = None
    if with_backbone:
        family, argument = family_of(facts, name)
        tower = family.load(argument, layer=facts.layer, device="cpu", dtype="float32")
    transform = repr(tower.transform) if tower else ""
    module = DeployedHead(head.cpu().eval(), facts.task.rank_values)
    inputs = inputs_for(
        facts, tower, spec=spec, backbone=name, settings=settings or Locations(device="cpu")
    )
    what = Exportable(
        module=DeployedModel(tower, module, normalize=facts.normalize, what=name)
        if tower
        else module,
        takes="images" if tower else "features",
        gives="estimate" if facts.decode == "point" else "posterior",
        about=json.dumps({**facts.model_dump(mode="json"), "transform": transform}),
    )
    try:
        written = write(what, inputs.rows, formats)
    except SpecError as error:
        raise SpecError(f"head {facts.label}: {error}") from error
    files = {f"{'model' if tower else 'head'}.{ending}": one for ending, one in written.items()}
    size = max(map(abs, facts.task.rank_values)) if facts.decode == "point" else 1.0
    for file, one in files.items():
        if not one.difference <= TOLERANCE * size:
            raise SpecError(
                f"head {facts.label}: {file} would differ from PyTorch by {one.difference:.1e} and "
                "is not written; leave its format out"
            )
    for file, one in files.items():
        write_atomic(folder / file, one.content)
    text = readme(what, facts, files, inputs, transform=transform)
    write_atomic(folder / README, text.encode())
    return {folder / file: one for file, one in files.items()}, inputs.what


def _refuse_other(path: Path) -> None:
    """Nobody's README is written over but that of an earlier export."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    if MADE_BY.encode() not in content:
        raise StoreError(f"{path} is not the README of an export; choose another folder, --output")
