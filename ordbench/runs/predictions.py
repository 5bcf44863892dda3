"""Predictions of every test image, as a Parquet file: a new metric needs no new run."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

_METADATA = b"ordbench"
_NOT_ESTIMATES = {"sample", "rank", "true", "group", "posterior"}
_EXTRA = "extra."


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A head's predictions of N test images.

    Attributes:
        samples: N names, as the dataset gives them.
        ranks: True ranks ``(N,)``, int64 in 0..K-1.
        estimates: By decoding, ``(N,)`` float64 in the task's unit; ``point`` alone for a head
            without a posterior.
        posterior: ``(N, K)`` float32, or None.
        rank_values: K numbers in the task's unit; empty in files that do not hold them.
        unit: What estimates and true values are measured in.
        train_median: Median of the training ranks in the task's unit; None in older files.
        groups: Who or what each image shows, None where that does not repeat; empty where the
            dataset does not say, and in older files.
        extra: N more true values by name, None where a sample has none.

    Raises:
        ValueError: If the lengths differ.
    """

    samples: Sequence[str]
    ranks: NDArray[np.int64]
    estimates: Mapping[str, NDArray[np.float64]] = field(
        default_factory=dict[str, NDArray[np.float64]]
    )
    posterior: NDArray[np.float32] | None = None
    rank_values: Sequence[float] = ()
    unit: str = ""
    train_median: float | None = None
    groups: Sequence[str | None] = ()
    extra: Mapping[str, Sequence[float | str | None]] = field(
        default_factory=dict[str, Sequence[float | str | None]]
    )

    def __post_init__(self) -> None:
        lengths = {"samples": len(self.samples), "ranks": len(self.ranks)}
        lengths |= {n: len(values) for n, values in {**self.estimates, **self.extra}.items()}
        if self.posterior is not None:
            lengths["posterior"] = len(self.posterior)
        if self.groups:
            lengths["groups"] = len(self.groups)
        if len(set(lengths.values())) > 1:
            raise ValueError(f"predictions must be of the same images, got {lengths}")


def to_parquet(predictions: Predictions) -> bytes:
    """The bytes of a Parquet file: columns sample, rank, true, group, estimates, posterior, extra.

    ``true`` and the estimates are in the task's unit, which the metadata name with the values of
    the ranks. The posterior is a ``fixed_size_list<float32>[K]``. Byte stream split puts bytes of
    the same place in a float side by side, so that zstd finds more to compress.
    """
    pa, pq = _arrow()
    ranks = np.asarray(predictions.ranks, np.int64)
    columns: dict[str, object] = {
        "sample": pa.array(predictions.samples, pa.string()),
        "rank": pa.array(ranks),
    }
    if predictions.rank_values:
        columns["true"] = pa.array(np.asarray(predictions.rank_values, np.float64)[ranks])
    if predictions.groups:
        columns["group"] = pa.array(list(predictions.groups), pa.string())
    for name, values in predictions.estimates.items():
        columns[name] = pa.array(np.asarray(values, np.float64))
    floats = [name for name in columns if name not in {"sample", "rank", "group"}]
    if predictions.posterior is not None:
        posterior = np.ascontiguousarray(predictions.posterior, np.float32)
        flat = pa.array(posterior.reshape(-1))
        columns["posterior"] = pa.FixedSizeListArray.from_arrays(flat, posterior.shape[1])
        floats.append("posterior.list.element")
    for name, extra in predictions.extra.items():
        columns[_EXTRA + name] = pa.array(list(extra))
    about = {
        "unit": predictions.unit,
        "rank_values": list(predictions.rank_values),
        "train_median": predictions.train_median,
    }
    file = io.BytesIO()
    pq.write_table(
        pa.table(columns, metadata={_METADATA: json.dumps(about)}),
        file,
        compression="zstd",
        use_dictionary=False,
        use_byte_stream_split=floats,
    )
    return file.getvalue()


def from_parquet(content: bytes, *, posterior: bool = True) -> Predictions:
    """Read what `to_parquet` made.

    Args:
        content: The file.
        posterior: Whether the posterior is needed, which is most of the file.

    Raises:
        ValueError: If it is not such a file.
    """
    pa, pq = _arrow()
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        names = [name for name in file.schema_arrow.names if posterior or name != "posterior"]
        table, probs = file.read(names, use_threads=False), None
        if "posterior" in names:
            column = table["posterior"]
            flat = column.combine_chunks().flatten().to_numpy()
            probs = flat.reshape(len(column), column.type.list_size)
        about = json.loads((table.schema.metadata or {}).get(_METADATA, b"{}"))
        extra = [name for name in table.column_names if name.startswith(_EXTRA)]
        estimates = [name for name in table.column_names if name not in {*_NOT_ESTIMATES, *extra}]
        return Predictions(
            samples=table["sample"].to_pylist(),
            ranks=table["rank"].to_numpy(),
            estimates={name: table[name].to_numpy() for name in estimates},
            posterior=probs,
            rank_values=tuple(about.get("rank_values", ())),
            unit=about.get("unit", ""),
            train_median=about.get("train_median"),
            groups=table["group"].to_pylist() if "group" in table.column_names else (),
            extra={name.removeprefix(_EXTRA): table[name].to_pylist() for name in extra},
        )
    except (pa.ArrowException, KeyError) as error:
        raise ValueError(f"not a file of predictions: {error}") from error


def _arrow() -> tuple[ModuleType, ModuleType]:
    """PyArrow, which has no types, and whose import takes a third of a second."""
    return import_module("pyarrow"), import_module("pyarrow.parquet")
