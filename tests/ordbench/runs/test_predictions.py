import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from ordbench.runs.predictions import Predictions, from_parquet, to_parquet


def predictions(num_images: int = 3, num_ranks: int = 4) -> Predictions:
    posterior = np.random.default_rng(0).dirichlet(np.ones(num_ranks), num_images)
    return Predictions(
        samples=[f"ä/{i}.jpg" for i in range(num_images)],
        ranks=np.arange(num_images) % num_ranks,
        estimates={
            "argmax": posterior.argmax(1).astype(np.float64),
            "mean": posterior @ np.arange(num_ranks),
            "median": (posterior.cumsum(1) >= 0.5).argmax(1).astype(np.float64),
        },
        posterior=posterior.astype(np.float32),
        rank_values=tuple(10.0 * k for k in range(num_ranks)),
        unit="years",
        train_median=20.0,
        groups=[f"person {i // 2}" if i else None for i in range(num_images)],
        extra={"deviation": [0.5] * num_images, "gender": ["f"] * num_images},
    )


@pytest.mark.parametrize("num_images", [0, 1, 3])
def test_predictions_come_back_bit_for_bit(num_images: int) -> None:
    given = predictions(num_images)
    got = from_parquet(to_parquet(given))
    assert got.samples == given.samples
    assert got.ranks.dtype == np.int64
    np.testing.assert_array_equal(got.ranks, given.ranks)
    assert list(got.estimates) == ["argmax", "mean", "median"]
    for name, values in given.estimates.items():
        assert got.estimates[name].dtype == np.float64
        np.testing.assert_array_equal(got.estimates[name], values)
    assert (got.rank_values, got.unit) == (given.rank_values, "years")
    assert got.extra == given.extra
    assert (got.train_median, list(got.groups)) == (20.0, given.groups)
    assert got.posterior is not None
    assert given.posterior is not None
    assert got.posterior.dtype == np.float32
    np.testing.assert_array_equal(got.posterior, given.posterior)


def test_a_point_head_has_estimates_and_no_posterior() -> None:
    given = Predictions(samples=["a"], ranks=np.array([1]), estimates={"point": np.array([0.5])})
    got = from_parquet(to_parquet(given))
    assert got.posterior is None
    assert (got.train_median, got.groups) == (None, ())
    assert {name: values.tolist() for name, values in got.estimates.items()} == {"point": [0.5]}


def test_equal_predictions_give_equal_bytes() -> None:
    assert to_parquet(predictions()) == to_parquet(predictions())


def test_another_program_finds_plain_columns_and_lists_of_fixed_size() -> None:
    file = pq.ParquetFile(io.BytesIO(to_parquet(predictions())))
    assert [(field.name, str(field.type)) for field in file.schema_arrow] == [
        ("sample", "string"),
        ("rank", "int64"),
        ("true", "double"),
        ("group", "string"),
        ("argmax", "double"),
        ("mean", "double"),
        ("median", "double"),
        ("posterior", "fixed_size_list<element: float>[4]"),
        ("extra.deviation", "double"),
        ("extra.gender", "string"),
    ]
    column = file.metadata.row_group(0).column(7)
    assert column.compression == "ZSTD"
    assert "BYTE_STREAM_SPLIT" in column.encodings


def test_true_values_and_estimates_are_in_one_unit() -> None:
    table = pq.read_table(io.BytesIO(to_parquet(predictions())))
    assert table["true"].to_pylist() == [0.0, 10.0, 20.0]
    assert json.loads(table.schema.metadata[b"ordbench"])["unit"] == "years"


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"of the same images, got .*'samples': 2, 'ranks': 3"):
        Predictions(samples=["a", "b"], ranks=np.arange(3))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"{}"], ids=["empty", "torn", "JSON"])
def test_a_file_of_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a file of predictions"):
        from_parquet(content)
