import pytest
from pydantic import ValidationError

from ordbench.runs.spec import RunSpec, resolved


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


def test_a_head_and_a_dataset_may_be_written_as_typed() -> None:
    typed = RunSpec(head="coop:context_tokens=4", dataset='folder:my/d:ranks="low;high"')
    assert typed == RunSpec(
        head="coop",
        head_options={"context_tokens": "4"},
        dataset="folder",
        dataset_argument="my/d",
        dataset_options={"ranks": "low;high"},
    )
    assert resolved(typed).head_options["context_tokens"] == 4
    assert RunSpec.model_validate_json(typed.model_dump_json()) == typed


def test_what_is_said_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="dataset='folder:d' says dataset_argument too"):
        RunSpec(head="linear", dataset="folder:d", dataset_argument="e")
