"""What a head said of every test image, as a Parquet file: a new metric needs no new run."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.registry import Estimate

ESTIMATES: tuple[Estimate, ...] = get_args(Estimate)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a head said of N test images.

    Attributes:
        samples: N names, as the dataset gives them.
        ranks: True ranks ``(N,)``, int64 in 0..K-1.
        estimates: By decoding, ``(N,)`` float64 in the task's unit; ``point`` alone for a head
            without a posterior.
        posterior: ``(N, K)`` float32, or None.

    Raises:
        ValueError: If the lengths differ.
    """

    samples: Sequence[str]
    ranks: NDArray[np.int64]
    estimates: Mapping[Estimate, NDArray[np.float64]] = field(
        default_factory=dict[Estimate, NDArray[np.float64]]
    )
    posterior: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        lengths = {"samples": len(self.samples), "ranks": len(self.ranks)}
        lengths |= {name: len(values) for name, values in self.estimates.items()}
        if self.posterior is not None:
            lengths["posterior"] = len(self.posterior)
        if len(set(lengths.values())) > 1:
            raise ValueError(f"predictions must be of the same images, got {lengths}")


def to_parquet(predictions: Predictions) -> bytes:
    """The bytes of a Parquet file: columns sample, rank, the estimates, posterior.

    The posterior is a ``fixed_size_list<float32>[K]``. Byte stream split sets bytes of the same
    place in a float side by side, so that zstd finds more to compress.
    """
    pa, pq = _arrow()
    columns: dict[str, object] = {
        "sample": pa.array(predictions.samples, pa.string()),
        "rank": pa.array(np.asarray(predictions.ranks, np.int64)),
    }
    for name in ESTIMATES:
        if name in predictions.estimates:
            columns[name] = pa.array(np.asarray(predictions.estimates[name], np.float64))
    floats: list[str] = [name for name in ESTIMATES if name in columns]
    if predictions.posterior is not None:
        posterior = np.ascontiguousarray(predictions.posterior, np.float32)
        flat = pa.array(posterior.reshape(-1))
        columns["posterior"] = pa.FixedSizeListArray.from_arrays(flat, posterior.shape[1])
        floats.append("posterior.list.element")
    file = io.BytesIO()
    pq.write_table(
        pa.table(columns),
        file,
        compression="zstd",
        use_dictionary=False,
        use_byte_stream_split=floats,
    )
    return file.getvalue()


def from_parquet(content: bytes) -> Predictions:
    """Read what `to_parquet` made.

    Raises:
        ValueError: If it is not such a file.
    """
    pa, pq = _arrow()
    try:
        table = pq.read_table(pa.BufferReader(content))
        posterior = None
        if "posterior" in table.column_names:
            column = table["posterior"]
            flat = column.combine_chunks().flatten().to_numpy()
            posterior = flat.reshape(len(column), column.type.list_size)
        return Predictions(
            samples=table["sample"].to_pylist(),
            ranks=table["rank"].to_numpy(),
            estimates={n: table[n].to_numpy() for n in ESTIMATES if n in table.column_names},
            posterior=posterior,
        )
    except (pa.ArrowException, KeyError) as error:
        raise ValueError(f"not a file of predictions: {error}") from error


def _arrow() -> tuple[ModuleType, ModuleType]:
    """PyArrow, which has no types, and whose import takes a third of a second."""
    return import_module("pyarrow"), import_module("pyarrow.parquet")
