"""What every registered head must do; a new head is tested before its author writes a test."""

import re

import pytest

from ordbench.backbone import TextTower
from ordbench.errors import SpecError
from ordbench.head import BaseHead
from ordbench.plugins.head_card import head_card
from ordbench.plugins.options import resolve, takes_argument
from ordbench.plugins.registry import HEADS
from ordbench.prompts.sentence_head import SentenceHead
from ordbench.recipe import OptionValue
from ordbench.testing.heads import HEAD_CHECKS, HeadUnderTest
from tests.reference.text_tower import random_clip

NAMES = sorted(name for name in HEADS if not takes_argument(HEADS[name]))
WITH_ARGUMENT: list[tuple[str, dict[str, OptionValue]]] = [
    ("sklearn", {"argument": "RandomForestClassifier", "n_estimators": 20}),
    ("sklearn", {"argument": "DecisionTreeRegressor", "max_depth": 6}),
    ("mord", {"argument": "LogisticAT"}),
    ("mord", {"argument": "OrdinalRidge"}),
    ("dlordinal", {"argument": "TriangularLoss"}),
    ("dlordinal", {"argument": "WKLoss"}),
]
EXTRAS = ("dlordinal", "mord")
# The sentences of a random tower say nothing of the features: their weight is made small (gda).
# Few samples are enough to learn a line, and are fast (poe).
OPTIONS: dict[str, dict[str, OptionValue]] = {"gda": {"alpha": 100.0}, "poe": {"samples": 5}}


def tower_for(head: type[BaseHead]) -> TextTower:
    """Of a trained CLIP's scale where it bounds how sure a head can be that learns no text."""
    return random_clip(logit_scale=100.0) if issubclass(head, SentenceHead) else random_clip()


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("check", HEAD_CHECKS)
@pytest.mark.parametrize(
    ("name", "options"),
    [*((name, OPTIONS.get(name, {})) for name in NAMES), *WITH_ARGUMENT],
    ids=str,
)
def test_it_passes_the_checks(name: str, options: dict[str, OptionValue], check: str) -> None:
    case = HeadUnderTest(head_class=HEADS[name], options=options, text_tower=tower_for(HEADS[name]))
    if reason := HEAD_CHECKS[check](case):
        pytest.skip(reason)


def test_an_option_nobody_declared_is_refused_by_name(name: str) -> None:
    with pytest.raises(SpecError, match=f"head '{re.escape(name)}' has no option 'no_such'"):
        resolve(HEADS[name], {"no_such": 1}, owner=f"head '{name}'")


@pytest.mark.parametrize("name", HEADS)
def test_the_card_says_what_it_is_whose_it_is_and_how_it_was_checked(name: str) -> None:
    card = head_card(name)
    assert card.title
    assert card.source
    package = f"the package {name} (pip install 'ordbench[{name}]')"
    needs = package if name in EXTRAS else "nothing"
    assert card.needs == ("a text encoder" if HEADS[name].needs_text else needs)
    assert re.match("agrees with |not official: ", card.parity), card.parity
