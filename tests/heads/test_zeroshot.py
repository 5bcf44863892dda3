import pytest
import torch

from ordbench.errors import SpecError
from ordbench_heads.zeroshot import ZeroShot
from tests.reference.problem import problem
from tests.reference.text_tower import random_clip

NAMES = ("young", "middle_aged", "old")  # an underscore is a blank in a prompt


@pytest.mark.parametrize(
    ("context", "template", "sentences"),
    [
        (
            "this person is",
            "{context} {rank}.",
            ["this person is young.", "this person is middle aged.", "this person is old."],
        ),
        ("", "{context} {rank}.", ["young.", "middle aged.", "old."]),
        (
            "this person is",
            "a photo of a person, {rank}",
            [
                "a photo of a person, young",
                "a photo of a person, middle aged",
                "a photo of a person, old",
            ],
        ),
    ],
    ids=["default", "no context", "template"],
)
def test_the_prototypes_are_the_towers_own_encoding(
    context: str, template: str, sentences: list[str]
) -> None:
    head = ZeroShot(problem(3, names=NAMES, context=context), template=(template,))
    assert torch.equal(head.prototypes(), random_clip().encode(sentences))


def test_of_several_templates_the_mean_of_unit_text_features_is_taken() -> None:
    templates = ("{context} {rank}.", "a face of {rank} years")
    head = ZeroShot(problem(3, names=NAMES, context="it is"), template=templates)
    said = [["it is young.", "it is middle aged.", "it is old."]]
    said.append([f"a face of {name} years" for name in ("young", "middle aged", "old")])
    encoded = [random_clip().encode(sentences) for sentences in said]
    wanted = sum(one / one.norm(dim=1, keepdim=True) for one in encoded) / 2
    torch.testing.assert_close(head.prototypes(), wanted)


def test_ranks_may_be_said_in_words() -> None:
    head = ZeroShot(problem(2, names=("35", "101"), context="it is"), words="number")
    sentences = ["it is thirty-five.", "it is one hundred and one."]
    assert torch.equal(head.prototypes(), random_clip().encode(sentences))


def test_a_name_that_is_no_number_cannot_be_said_in_words() -> None:
    with pytest.raises(SpecError, match="words=ordinal: rank 'young' is no whole number"):
        ZeroShot(problem(3, names=NAMES), words="ordinal")


def test_nothing_is_trained() -> None:
    assert list(ZeroShot(problem()).parameters()) == []


def test_features_of_another_space_are_refused() -> None:
    with pytest.raises(SpecError, match=r"so both must be of one model.* --layer post"):
        ZeroShot(problem(aligned=False))


@pytest.mark.parametrize("template", ["a photo", "{rank} {age}", "{context}"])
def test_a_template_with_other_blanks_is_refused(template: str) -> None:
    with pytest.raises(SpecError, match=r"must contain {rank}, may contain {context}"):
        ZeroShot(problem(), template=(template,))
