"""From a prepared run to its record: head, training, test."""

from __future__ import annotations

import time
import traceback
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypedDict

import numpy as np
import torch

from ordbench.backbone import TextTower
from ordbench.errors import OrdbenchError
from ordbench.features.extraction import open_family
from ordbench.head import BaseHead
from ordbench.metrics.decoding import estimates, to_unit
from ordbench.metrics.registry import BUILTIN_DECODES, metrics_for
from ordbench.metrics.scores import point_scores, scores
from ordbench.plugins.registry import DATASETS, HEADS
from ordbench.recipe import OptionValue
from ordbench.runs.heads import create_head
from ordbench.runs.identity import versions_for
from ordbench.runs.inference import outputs_of
from ordbench.runs.keeping import keep
from ordbench.runs.predictions import Predictions
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.record import FeatureFacts, Record, SplitFacts, TaskFacts, TrainingFacts, Tried
from ordbench.runs.spec import RunSpec, datasets_of, is_aligned
from ordbench.runs.titles import head_label
from ordbench.splits.draw import open_protocol
from ordbench.training.samplers import Candidate
from ordbench.training.search import Search, search
from ordbench.training.trainer import Fitted, LabelledFeatures, Replica, problem_of
from ordbench.utils.environment import machine, versions
from ordbench.utils.random_numbers import seeded
from ordbench.utils.torch_threads import threads


class Facts(TypedDict):
    """Fields of a `Record`."""

    run_id: str
    label: str
    spec: RunSpec
    ranked: bool
    task: TaskFacts
    split: SplitFacts
    features: FeatureFacts
    hashes: dict[str, str]
    versions: dict[str, str]
    machine: dict[str, str]


def record_header(prepared: PreparedRun, device: str) -> Facts:
    """What is known of a run on a device as soon as it is prepared."""
    # One run has one record, so a manifest that says what is drawn anyway leaves no trace.
    spec = prepared.spec.model_copy(update={"split": prepared.identity.custom_split_hash})
    split = prepared.split
    listing, features = prepared.material.listing, prepared.material.features
    task = listing.task
    return Facts(
        run_id=prepared.identity.run_id,
        label=head_label(spec),
        spec=spec,
        ranked=open_protocol(spec.protocol).ranked,
        task=TaskFacts(
            title=DATASETS[spec.dataset].card.title,
            num_ranks=task.num_ranks,
            unit=task.unit,
            rank_values=task.rank_values,
        ),
        split=SplitFacts(
            hash=split.hash,
            train=len(split.train),
            val=len(split.val),
            test=len(split.test),
            rejected=listing.rejected,
            leaks=split.leaks,
            short=split.short,
            notes=(*listing.notes, *split.notes, *_cautions(spec)),
            division=split.division,
        ),
        features=FeatureFacts(
            key=features.key,
            dtype=features.dtype,
            cosine=features.cosine,
            layer=spec.layer,
            normalize=spec.normalize,
        ),
        hashes=prepared.identity.hashes,
        versions={**versions(), **versions_for(spec), **prepared.identity.owner},
        machine=machine(device),
    )


def _cautions(spec: RunSpec) -> list[str]:
    """What to know of the weights that see images which do not come with ordbench."""
    if all(DATASETS[name].card.embedded for name in datasets_of(spec)):
        return []
    names = dict.fromkeys(name for name in (spec.backbone, spec.text) if name)
    families = [open_family(name) for name in names]
    return [said for family, argument in families if (said := family.caution(argument))]


class Bench(Protocol):
    """What a training needs beside its data; a `Resources` is one."""

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""
        ...

    @property
    def save_heads(self) -> bool:
        """Whether trained heads are kept."""
        ...

    def text_tower(self, spec: RunSpec) -> TextTower | None:
        """The tower that a text head prompts, on any device."""
        ...


def train_and_test(group: Sequence[PreparedRun], bench: Bench) -> list[RunResult]:
    """Train replicas, equal but for their seeds, as one model; test each on its own.

    Raises:
        TrainingError: If a training diverged.
    """
    started = time.perf_counter()
    searches = train(group, bench)
    seconds = (time.perf_counter() - started) / len(group)
    return [
        _tested(prepared, one.found(), one, seconds, bench)
        for prepared, one in zip(group, searches, strict=True)
    ]


def train(group: Sequence[PreparedRun], bench: Bench) -> list[Search]:
    """Train replicas, equal but for their seeds, as one model; what is found may have diverged."""
    task = group[0].material.listing.task
    values = torch.tensor(task.rank_values, dtype=torch.float64, device=bench.device)

    def replica(number: int, candidate: Candidate) -> Replica:
        return _replica(group[number], candidate, bench)

    searches = [search_of(prepared.spec) for prepared in group]
    search(searches, replica, values)
    return searches


def search_of(spec: RunSpec) -> Search:
    """The search of a run for its best hyper-parameters.

    Raises:
        SpecError: If its head searches what a recipe fixes, or the sampler is not installed.
    """
    default = Candidate(spec.recipe or HEADS[spec.head].recipe, spec.head_options)
    return Search(spec.head, default, spec.tuning, spec.train_seed)


def build_head(
    prepared: PreparedRun, bench: Bench, options: Mapping[str, OptionValue] | None = None
) -> BaseHead:
    """An untrained head, as the train seed starts it.

    Args:
        prepared: The run.
        bench: Where the text tower is.
        options: Of the head, in place of the run's own.

    Raises:
        SpecError: If an option cannot be.
    """
    spec, task = prepared.spec, prepared.material.listing.task
    train = prepared.labelled("train")
    tower = bench.text_tower(spec) if HEADS[spec.head].needs_text else None
    problem = problem_of(train, task, tower, aligned=is_aligned(spec))
    with seeded(spec.train_seed):  # heads are made on the CPU
        own = spec.head_options if options is None else options
        return create_head(spec.head, problem, own).to(bench.device)


def _replica(prepared: PreparedRun, candidate: Candidate, bench: Bench) -> Replica:
    return Replica(
        head=build_head(prepared, bench, candidate.options),
        train=_to(prepared.labelled("train"), bench.device),
        val=_to(prepared.labelled("val"), bench.device),
        recipe=candidate.recipe,
        seed=prepared.spec.train_seed,
    )


def _tested(
    prepared: PreparedRun, fitted: Fitted, tuned: Search, fit_seconds: float, bench: Bench
) -> RunResult:
    started = time.perf_counter()
    test = prepared.labelled("test")
    outputs, prediction = outputs_of(fitted.head, test.features.to(bench.device))
    ranks = test.ranks.numpy()
    task = prepared.material.listing.task
    values = task.rank_values
    metrics = metrics_for(DATASETS[prepared.spec.dataset].card.cs_thresholds, task.unit)
    if prediction.posterior is None:
        posterior = None
        decoded = {"point": to_unit(prediction.position.cpu().numpy(), values)}
        found = {"point": point_scores(decoded["point"], ranks, values, metrics)}
    else:
        posterior = prediction.posterior.cpu().numpy()
        decoded = {how: estimates(posterior, values, how) for how in BUILTIN_DECODES}
        found = scores(posterior, ranks, values, metrics)
    if measured := fitted.head.measures(outputs):
        found["head"] = measured
    median = values[int(prepared.labelled("train").ranks.median())]
    predictions = Predictions(
        samples=prepared.split.test,
        ranks=ranks,
        estimates=decoded,
        posterior=posterior,
        rank_values=values,
        unit=task.unit,
        train_median=median,
        groups=_groups(prepared),
        extra=_extra(prepared),
    )
    record = Record(
        status="done",
        **record_header(prepared, bench.device),
        training=_training(prepared.spec, fitted, tuned),
        metrics=found,
        baseline=point_scores(np.full(len(ranks), median), ranks, values, metrics),
        seconds={
            "features": prepared.material.features.seconds,
            "fit": fit_seconds,
            "test": time.perf_counter() - started,
        },
    )
    options = tuned.default.at(tuned.chosen).options
    kept = keep(prepared, fitted.head, options, bench.device) if bench.save_heads else None
    return RunResult(record, predictions, kept)


def _groups(prepared: PreparedRun) -> list[str | None]:
    """Whom the test samples show; empty where the dataset does not say."""
    samples = prepared.material.listing.samples
    groups = [samples[index].group for index in prepared.indices.test]
    return groups if any(group is not None for group in groups) else []


def _extra(prepared: PreparedRun) -> dict[str, list[float | str | None]]:
    """What the dataset knows of the test samples beside their ranks, by name."""
    samples = [prepared.material.listing.samples[index] for index in prepared.indices.test]
    names = sorted({name for sample in samples for name in sample.extra})
    return {name: [sample.extra.get(name) for sample in samples] for name in names}


def _training(spec: RunSpec, fitted: Fitted, tuned: Search) -> TrainingFacts:
    return TrainingFacts(
        steps=fitted.steps,
        best_step=fitted.best_step,
        val_mae=fitted.val_mae,
        parameters=sum(p.numel() for p in fitted.head.parameters() if p.requires_grad),
        stopped_early=fitted.stopped_early,
        tried=tuple(Tried(changed=dict(point), val_mae=error) for point, error in tuned.tried)
        if spec.tuning
        else (),
        chosen=dict(tuned.chosen),
    )


def _to(labelled: LabelledFeatures, device: str) -> LabelledFeatures:
    return LabelledFeatures(labelled.features.to(device), labelled.ranks.to(device))


class RunResult(NamedTuple):
    """What came of one run.

    Attributes:
        record: Of a finished run or of a failure.
        predictions: What the head said of the test images; None where they are in the store.
        head: The file of the trained head, see `ordbench.runs.kept_head`; None where it is in the
            store, or not kept.
        trace: Where in the code a run failed.
        done_before: Whether the record was in the store already.
    """

    record: Record
    predictions: Predictions | None = None
    head: bytes | None = None
    trace: str = ""
    done_before: bool = False


def run_cell(prepared: Sequence[PreparedRun], bench: Bench) -> list[RunResult]:
    """Train and test runs, equal but for their seeds; what breaks is a failure and no error.

    Nothing is written, so that a machine without the store can do it. It keeps to one thread, so
    that the bits of the outcome depend neither on the engine nor on the number of cores.
    """
    with threads(1):
        return [trial for group in _alike(prepared) for trial in _train_or_fail(group, bench)]


def failure(prepared: PreparedRun, error: Exception, device: str) -> Record:
    """The record of a run that broke on a device."""
    said = " ".join(_utf8(str(error)).split())
    return Record(
        status="failed",
        **record_header(prepared, device),
        error=said if isinstance(error, OrdbenchError) else f"{type(error).__name__}: {said}",
    )


def _alike(prepared: Sequence[PreparedRun]) -> list[list[PreparedRun]]:
    """Groups that can be stacked: equally many training and validation images."""
    groups: defaultdict[tuple[int, int], list[PreparedRun]] = defaultdict(list)
    for one in prepared:
        groups[len(one.split.train), len(one.split.val)].append(one)
    return list(groups.values())


def _train_or_fail(group: Sequence[PreparedRun], bench: Bench) -> Iterator[RunResult]:
    """Try a group; if it breaks, each run is tried alone, and what breaks then is a failure."""
    try:
        trained = train_and_test(group, bench)
    except Exception as error:
        if len(group) > 1:
            for one in group:
                yield from _train_or_fail([one], bench)
            return
        trace = _utf8(traceback.format_exc())
        yield RunResult(failure(group[0], error, bench.device), trace=trace)
        return
    yield from trained


def _utf8(text: str) -> str:
    """Text that can be written; the name of a file need not be UTF-8."""
    return text.encode(errors="backslashreplace").decode()
