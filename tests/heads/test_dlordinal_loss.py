from dataclasses import replace

import pytest
import torch
from dlordinal import losses
from torch.nn import CrossEntropyLoss

from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.recipe import OptionValue
from tests.reference.golden import RANKS, SCORES
from tests.reference.problem import problem

Options = dict[str, OptionValue]
TRAIN_RANKS = torch.tensor([0, 0, 1, 2, 2, 2, 3, 4])
SOFT: dict[str, object] = {"base_loss": CrossEntropyLoss()}
CASES: list[tuple[str, Options, dict[str, object]]] = [
    ("BetaLoss", {"eta": 0.7}, SOFT),
    ("BinomialLoss", {}, SOFT),
    ("CDWCELoss", {"alpha": 2.0}, {}),
    ("EMDLoss", {}, {}),
    ("ExponentialLoss", {"p": 2, "tau": 0.5}, SOFT),
    ("GeneralTriangularLoss", {"alphas": (0.05,) * 10}, SOFT),
    ("GeometricLoss", {"alphas": 0.2}, SOFT),
    ("MCEAndWKLoss", {"C": 0.3}, {"use_logits": True}),
    ("MCELoss", {"weight": (1, 2, 3, 4, 5)}, {"use_logits": True}),
    ("PoissonLoss", {}, SOFT),
    ("SLACELoss", {"alpha": 1.0}, {}),
    ("SORDLoss", {"alpha": 1.0, "prox": True, "ftype": "max"}, {"train_targets": TRAIN_RANKS}),
    ("TriangularLoss", {"alpha2": 0.1}, SOFT),
    ("WKLoss", {"penalization_type": "linear"}, {"use_logits": True}),
]


@pytest.mark.parametrize(("name", "options", "more"), CASES, ids=[case[0] for case in CASES])
def test_the_loss_is_that_of_dlordinal(
    name: str, options: Options, more: dict[str, object]
) -> None:
    theirs: dict[str, object] = {**options}
    if "weight" in options:
        theirs["weight"] = torch.arange(1.0, 6)
    if name == "GeneralTriangularLoss":
        theirs["alphas"] = [0.05] * 10
    wanted = getattr(losses, name)(num_classes=5, **theirs, **more)(SCORES, RANKS)
    told = replace(problem(5), train_counts=TRAIN_RANKS.bincount())
    head = HEADS["dlordinal"](told, **{"argument": name, **options})
    assert head.loss(SCORES, RANKS).item() == pytest.approx(wanted.item(), rel=1e-6)
    assert {buffer.device for buffer in head.to("meta").buffers()} == {torch.device("meta")}
    constants = [vars(module).values() for module in head.modules()]
    assert not any(isinstance(one, torch.Tensor) for values in constants for one in values)


def test_every_loss_of_scores_and_ranks_is_offered() -> None:
    cases = {name for name, *_ in CASES}
    apart = {"CORNLoss", "OrdinalECOCDistanceLoss", "CustomTargetsLoss"}
    others = {name for name in losses.__all__ if name.endswith(("CrossEntropyLoss", "Wrapper"))}
    assert cases == {*losses.__all__} - apart - others


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"argument": "TriangleLoss"}, "unknown loss 'TriangleLoss'; did you mean TriangularLoss"),
        ({"argument": "CustomTargetsLoss"}, "unknown loss 'CustomTargetsLoss'"),
        ({"argument": "CORNLoss"}, "take the head corn"),
        ({"argument": "WKLoss", "alpha": 1}, "WKLoss has no option 'alpha'"),
        ({"argument": "WKLoss", "penalization_type": "cubic"}, "WKLoss: Invalid penalization_type"),
        ({"argument": "SORDLoss"}, "SORDLoss: .*missing.*alpha"),
        ({"argument": "MCELoss", "use_logits": False}, "leave out .*use_logits"),
        ({"argument": "MCELoss", "reduction": "none"}, "must be one finite number, got"),
        ({"argument": "SORDLoss", "alpha": 1, "prox": True}, "training images of all ranks"),
        ({"argument": "MCELoss", "weight": (1, 2)}, "MCELoss: Weight shape"),
    ],
)
def test_what_dlordinal_does_not_have_is_refused(options: Options, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        HEADS["dlordinal"](problem(5), **options)
