"""Cells of a sweep: runs that are equal but for their seeds, and what they are called."""

from __future__ import annotations

from ordbench.plugins.options import changed
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import DATASETS, HEADS
from ordbench.runs.spec import RunSpec
from ordbench.utils.text import counted


def cell_title(spec: RunSpec, label: str) -> str:
    """What a run is but for its seeds, in words."""
    fold = f", fold {spec.fold}" if spec.fold else ""
    tested = f", {tested_title(spec)}" if spec.test_dataset else ""
    protocol = f", {protocol_title(spec)}" if protocol_title(spec) else ""
    trained = f"{spec.backbone}, {shots_title(spec)}{protocol}"
    return f"{label} on {dataset_label(spec)}{tested}, {trained}{fold}"


def run_title(spec: RunSpec, label: str) -> str:
    """What a run is, in words."""
    return f"{cell_title(spec, label)}, {seed_title(spec)}"


def tested_title(spec: RunSpec) -> str:
    """Which other dataset is tested, in words; empty where it is the one that trains."""
    return f"tested on {spec.test_dataset}" if spec.test_dataset else ""


def shots_title(spec: RunSpec) -> str:
    """How many images of a rank train, in words."""
    return "all images" if spec.shots is None else counted(spec.shots, "shot")


def protocol_title(spec: RunSpec) -> str:
    """How images are divided, in words; empty where that is as usual."""
    return "" if spec.protocol == "standard" else f"protocol {spec.protocol}"


def seed_title(spec: RunSpec) -> str:
    """The seeds of a run, in words."""
    if spec.data_seed == spec.train_seed:
        return f"seed {spec.train_seed}"
    return f"data seed {spec.data_seed}, train seed {spec.train_seed}"


def head_label(spec: RunSpec) -> str:
    """What a table calls the head of a run: its name and the options that are not the default."""
    argument = str(spec.head_options.get("argument", ""))
    options = changed(HEADS[spec.head], spec.head_options)
    return str(PluginRef(spec.head, argument, options))


def dataset_label(spec: RunSpec) -> str:
    """The dataset of a run as it would be typed, with the options that are not the default."""
    options = changed(DATASETS[spec.dataset], spec.dataset_options)
    return str(PluginRef(spec.dataset, spec.dataset_argument, options))
