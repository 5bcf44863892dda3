import pytest
from pydantic import ValidationError

from ordbench.runs.spec import RunSpec


@pytest.mark.parametrize("name", ["data_seed", "train_seed"])
def test_a_seed_is_one_that_every_generator_takes(name: str) -> None:
    fields: dict[str, object] = {"head": "linear", "dataset": "fgnet"}
    RunSpec.model_validate(fields | {name: 2**32 - 1})
    with pytest.raises(ValidationError, match="less than 4294967296"):
        RunSpec.model_validate(fields | {name: 2**32})


def test_the_own_text_tower_by_name_is_the_same_run() -> None:
    said = RunSpec(head="coop", dataset="fgnet", backbone="clip:tiny", text="clip:tiny")
    assert said == RunSpec(head="coop", dataset="fgnet", backbone="clip:tiny")
    other = RunSpec(head="coop", dataset="fgnet", backbone="timm:resnet50", text="clip:tiny")
    assert other.text == "clip:tiny"
