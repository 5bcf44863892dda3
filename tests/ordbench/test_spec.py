import pytest
from pydantic import ValidationError

from ordbench.spec import RunSpec


@pytest.mark.parametrize("name", ["data_seed", "train_seed"])
def test_a_seed_is_one_that_every_generator_takes(name: str) -> None:
    fields: dict[str, object] = {"head": "linear", "dataset": "fgnet"}
    RunSpec.model_validate(fields | {name: 2**32 - 1})
    with pytest.raises(ValidationError, match="less than 4294967296"):
        RunSpec.model_validate(fields | {name: 2**32})
