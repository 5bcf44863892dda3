"""What is known of one run: its record, and an error analysis of its stored predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ordbench.errors import StoreError
from ordbench.metrics.calibration import ece
from ordbench.report.error_analysis import (
    ImageError,
    RankErrors,
    ReliabilityBin,
    confusion,
    errors_by_rank,
    rank_groups,
    reliability,
    worst_images,
)
from ordbench.results.evaluations import Decoded, read_decoded
from ordbench.results.layout import archive_path, trace_path
from ordbench.runs.record import Record, to_json


@dataclass(frozen=True, kw_only=True)
class ErrorAnalysis:
    """Where a run errs on its test images.

    Attributes:
        decode: How posteriors became estimates; ``point`` for a head that has none.
        confusion: Images by groups of true ranks (rows) and of estimated ranks (columns).
        by_rank: Errors by group of true ranks.
        reliability: Confidence against accuracy; empty for a head without a posterior.
        ece: Expected calibration error; None for a head without a posterior.
        worst: The images with the largest errors.
    """

    decode: str
    confusion: Sequence[Sequence[int]]
    by_rank: Sequence[RankErrors]
    reliability: Sequence[ReliabilityBin] = ()
    ece: float | None = None
    worst: Sequence[ImageError] = ()

    def as_json(self) -> dict[str, object]:
        """All of it as plain values."""
        return {
            "decode": self.decode,
            "confusion": self.confusion,
            "errors_by_rank": [one._asdict() for one in self.by_rank],
            "reliability": [one._asdict() for one in self.reliability],
            "ece": self.ece,
            "worst": [one._asdict() for one in self.worst],
        }


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """One run.

    Attributes:
        record: What it left behind.
        decoded: Its predictions, where they are stored.
        unanalysed: Why there is no error analysis; empty if there is one.
        trace: The traceback of a failed run, if it is there.
    """

    record: Record
    decoded: Decoded | None = field(repr=False)
    unanalysed: str = ""
    trace: Path | None = None

    def analysis(self, *, groups: int | None = None, worst: int = 10) -> ErrorAnalysis | None:
        """Where the run errs; None if its predictions are not stored.

        Args:
            groups: Groups of ranks at most; None for one group a rank.
            worst: How many images to name.
        """
        if self.decoded is None:
            return None
        decode, evaluation = self.decoded
        num_ranks = len(evaluation.rank_values)
        cut = rank_groups(num_ranks, groups or num_ranks)
        calibrated = evaluation.posterior is not None
        return ErrorAnalysis(
            decode=decode,
            confusion=confusion(evaluation, cut).tolist(),
            by_rank=errors_by_rank(evaluation, cut),
            reliability=reliability(evaluation) if calibrated else (),
            ece=ece(evaluation) if calibrated else None,
            worst=worst_images(evaluation, worst),
        )

    def as_json(self, *, worst: int = 10) -> dict[str, object]:
        """The record, and the error analysis rank by rank, as plain values."""
        analysis = self.analysis(worst=worst)
        return {
            "record": json.loads(to_json(self.record)),
            "trace": str(self.trace) if self.trace else None,
            "analysis": analysis.as_json() if analysis else None,
            "unanalysed": self.unanalysed,
        }


def report_run(results: Path, record: Record) -> RunReport:
    """Gather what is known of a run of a store or of an archive."""
    if record.status == "failed":
        trace = trace_path(results, record.run_id)
        there = not archive_path(results) and trace.is_file()
        return RunReport(
            record=record,
            decoded=None,
            unanalysed="the run failed",
            trace=trace if there else None,
        )
    try:
        return RunReport(record=record, decoded=read_decoded(results, record))
    except StoreError as error:
        return RunReport(record=record, decoded=None, unanalysed=str(error))
