"""What `ordbench show run` prints: facts, scores, and where the run errs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from ordbench.cli.facts import fact_lines, wrapped
from ordbench.cli.grids import print_grid
from ordbench.errors import OrdbenchError
from ordbench.plugins.reference import PluginRef
from ordbench.results.rows import options_text
from ordbench.runs.titles import dataset_label, seed_title, shots_title, tested_title
from ordbench.utils.text import counted

if TYPE_CHECKING:
    from ordbench.recipe import OptionValue
    from ordbench.report.run_report import ErrorAnalysis, RunReport
    from ordbench.runs.record import Record, SplitFacts, TrainingFacts
    from ordbench.runs.spec import RunSpec

GROUPS = 10  # of ranks: more do not fit on a screen
SHOWN = 10  # candidates of a tuning, and files left out


def print_run(report: RunReport, width: int, *, worst: int) -> None:
    """Print all that is known of a run.

    Args:
        report: The run.
        width: Characters a line of text.
        worst: How many of the worst images to name.
    """
    record = report.record
    for line in fact_lines(dict(_facts(report)), width):
        typer.echo(line)
    if record.metrics:
        _title("scores on the test images")
        _print_scores(record)
    if record.training and record.training.tried:
        _print_tuning(record.training)
    analysis = report.analysis(groups=GROUPS, worst=worst)
    if analysis:
        _print_analysis(analysis, record)
    else:
        _title("\n".join(wrapped(f"no error analysis: {report.unanalysed}", width)))


def _facts(report: RunReport) -> Iterator[tuple[str, str]]:
    """What was run, on what, and how it went, by label."""
    record = report.record
    spec, task, split, training = record.spec, record.task, record.split, record.training
    yield "run", record.run_id
    yield "status", record.status if record.ranked else f"{record.status}, never ranked"
    yield "error", record.error or ""
    yield "traceback", str(report.trace or "")
    yield "made", record.created
    yield "head", record.label
    yield "dataset", ", ".join(filter(None, (_dataset(spec), tested_title(spec))))
    yield "ranks", f"{task.num_ranks} of {task.title}, in {task.unit}" if task else ""
    drawn = f"protocol {spec.protocol}, fold {spec.fold}, {shots_title(spec)}, {seed_title(spec)}"
    yield "split", drawn + (f"; of manifest {spec.split}" if spec.split else "")
    if split:
        yield "test images", split.division
        yield "images", _images(split)
        yield "left out", _left_out(split)
        yield "notes", "; ".join(split.notes)
    yield "backbone", f"{spec.backbone}{_features(record)}"
    yield "text", spec.text
    if spec.recipe:
        recipe = spec.recipe.model_dump().items()
        yield "recipe", ", ".join(f"{name}={value}" for name, value in recipe)
    if training:
        yield "training", _training(training, task.unit if task else "")
    yield "measured", _measured(record)
    yield "kept head", record.kept_head.file if record.kept_head else ""
    seconds = (f"{name} {value:.2f} s" for name, value in record.seconds.items())
    yield "time", ", ".join(seconds)
    yield "machine", ", ".join(f"{name} {value}" for name, value in record.machine.items())
    yield "versions", ", ".join(f"{name} {value}" for name, value in record.versions.items())


def _dataset(spec: RunSpec) -> str:
    """The dataset as it would be typed, even if it is not installed here."""
    try:
        return dataset_label(spec)
    except OrdbenchError:
        return str(PluginRef(spec.dataset, spec.dataset_argument))


def _images(split: SplitFacts) -> str:
    said = f"{split.train} train, {split.val} validation, {split.test} test"
    leaks = f"; {split.leaks} test images show people seen in training or validation"
    short = f"; {counted(split.short, 'rank')} with fewer training images than shots"
    return said + (leaks if split.leaks else "") + (short if split.short else "")


def _left_out(split: SplitFacts) -> str:
    shown = "; ".join(f"{name} ({reason})" for name, reason in split.rejected[:SHOWN])
    more = len(split.rejected) - SHOWN
    return shown + (f"; and {more} more" if more > 0 else "")


def _features(record: Record) -> str:
    features = record.features
    if not features:
        return ""
    scaled = ", unit length" if features.normalize else ""
    return f", {features.layer} layer{scaled}, {features.dtype}"


def _training(training: TrainingFacts, unit: str) -> str:
    stopped = ", stopped early" if training.stopped_early else ""
    steps = f"step {training.best_step} of {training.steps}{stopped}"
    return (
        f"{steps if training.steps else 'no steps'}; val MAE {training.val_mae:.4g} {unit}; "
        f"{counted(training.parameters, 'parameter')}"
    )


def _title(text: str) -> None:
    typer.echo(f"\n{text}")


def _print_scores(record: Record) -> None:
    """Scores by decoding, with those of the baseline beside them."""
    decoded = {how: scores for how, scores in record.metrics.items() if how != "head"}
    columns = [*decoded, "baseline"]
    tables = [*decoded.values(), record.baseline]
    names = dict.fromkeys(name for scores in tables for name in scores)
    rows = [[name, *(_number(scores.get(name)) for scores in tables)] for name in names]
    print_grid(["", *columns], rows)
    typer.echo("baseline: the median of the training ranks")


def _measured(record: Record) -> str:
    """What the head measured of itself, spans in the order of their numbers."""
    measured = record.metrics.get("head", {})
    parts = {name: name.partition("@") for name in measured}
    order = sorted(measured, key=lambda name: (parts[name][0], float(parts[name][2] or 0)))
    return ", ".join(f"{name} {_number(measured[name])}" for name in order)


def _print_tuning(training: TrainingFacts) -> None:
    """The candidates of a tuning, the best first; equal ones in the order of trial."""
    _title(f"tuning: {counted(len(training.tried), 'candidate')}, best on validation first")
    order = sorted(training.tried, key=lambda one: (math.isnan(one.val_mae), one.val_mae))
    rows = [[_number(one.val_mae), _options(one.changed)] for one in order[:SHOWN]]
    print_grid(["val MAE", "changed"], rows, left=2)
    if len(order) > SHOWN:
        typer.echo(f"and {len(order) - SHOWN} more, see --json")
    typer.echo(f"chosen: {_options(training.chosen)}")


def _options(changed: dict[str, OptionValue]) -> str:
    return options_text(changed) or "nothing changed"


def _print_analysis(analysis: ErrorAnalysis, record: Record) -> None:
    unit = record.task.unit if record.task else ""
    values = [_span(one.low, one.high) for one in analysis.by_rank]
    ranks = record.task.num_ranks if record.task else len(values)
    how = f"{analysis.decode}, {unit}"
    grouped = f"; {ranks} ranks in {len(values)} groups, see --json" if ranks > len(values) else ""
    _title(f"confusion: true in rows, estimated in columns ({how}{grouped})")
    counts = [list(map(str, row)) for row in analysis.confusion]
    rows = [[name, *row] for name, row in zip(values, counts, strict=True)]
    print_grid(["", *values], rows, gap=1)
    _title(f"errors by true rank ({how}); bias: mean of estimate less truth")
    rows = [
        [name, str(one.images), _signed(one.bias), _number(one.mae)]
        for name, one in zip(values, analysis.by_rank, strict=True)
    ]
    print_grid(["", "images", "bias", "MAE"], rows)
    if analysis.ece is not None:
        _title(f"reliability of the likeliest rank: ECE {analysis.ece:.3f}")
        rows = [
            [f"{low:.2f}..{high:.2f}", str(images), _number(confidence), _number(accuracy)]
            for low, high, images, confidence, accuracy in analysis.reliability
        ]
        print_grid(["probability", "images", "mean probability", "share right"], rows)
    _title(f"worst images ({how})")
    images = [
        [one.sample, f"{one.true:g}", _number(one.estimate), _signed(one.error)]
        for one in analysis.worst
    ]
    print_grid(["image", "true", "estimate", "error"], images)


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}..{high:g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"
