"""The estimator obeys scikit-learn, and trains as `ordbench run` does."""

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import ordbench
from ordbench.errors import OrdbenchError, SpecError
from ordbench.results.store import Store
from ordbench.sklearn import OrdinalHeadClassifier, _held_out

QUICK = {"epochs": 2, "min_steps": 20}
WORDS = ["poor", "fair", "good", "excellent"]


def drawn(num: int = 120) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features of four ranks along a line, and the ranks."""
    generator = np.random.default_rng(0)
    ranks = np.arange(num) % 4
    features = generator.normal(0, 0.5, (num, 6))
    features[:, 0] += 2 * ranks
    return features.astype(np.float32), ranks


def fresh(model: OrdinalHeadClassifier) -> OrdinalHeadClassifier:
    return cast(OrdinalHeadClassifier, clone(model))


@pytest.fixture(scope="module")
def trained() -> OrdinalHeadClassifier:
    return OrdinalHeadClassifier("linear", recipe=QUICK, random_state=0).fit(*drawn())


# With the median, which is not the likeliest rank, predict is not what check_classifiers_train
# wants. check_array_api_input skips itself where SCIPY_ARRAY_API is not set.
@pytest.mark.filterwarnings("ignore:labels are words", "ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [OrdinalHeadClassifier("linear", decode="argmax", recipe={"epochs": 10, "min_steps": 20})]
)
def test_scikit_learn_checks(estimator: object, check: Callable[[object], None]) -> None:
    check(estimator)


@pytest.mark.parametrize("head", ["coral", "regression"])
def test_it_is_the_run_of_the_command_line(head: str, tmp_path: Path) -> None:
    features, ranks = drawn(150)
    model = OrdinalHeadClassifier(head, recipe=QUICK, random_state=3).fit(
        features[:100], ranks[:100]
    )
    part = np.array(["train"] * 100 + ["test"] * 50, "U5")
    part[model.validation_indices_] = "val"
    file = tmp_path / "rows.npz"
    np.savez(file, features=features, rank=ranks, part=part)
    recipe = type(model.head_).recipe.model_copy(update=QUICK)
    spec = ordbench.RunSpec(head=head, dataset=f"features:{file}", recipe=recipe, train_seed=3)
    record = ordbench.run(spec, results=tmp_path / "results")
    assert record.training is not None
    assert model.validation_mae_ == record.training.val_mae
    predictions = Store(tmp_path / "results").read_predictions(record.run_id)
    if head == "coral":
        assert predictions.posterior is not None
        assert model.predict_proba(features[100:]) == pytest.approx(predictions.posterior, abs=1e-6)
        assert model.predict(features[100:]).tolist() == predictions.estimates["median"].tolist()
    else:
        nearest = predictions.estimates["point"].round()
        assert model.predict(features[100:]).tolist() == nearest.tolist()


def test_words_are_ranked_as_told_and_predicted_as_words() -> None:
    features, ranks = drawn()
    words = np.array(WORDS)[ranks]
    model = OrdinalHeadClassifier("coral", recipe=QUICK, ranks=[*WORDS, "perfect"], random_state=0)
    model.fit(features, words)
    assert model.classes_.tolist() == [*WORDS, "perfect"]
    assert model.rank_values_ == (0, 1, 2, 3, 4)
    assert model.predict_proba(features).shape == (120, 5)
    by_number = OrdinalHeadClassifier("coral", recipe=QUICK, ranks=range(5), random_state=0)
    by_number.fit(features, ranks)
    assert model.predict(features).tolist() == [
        [*WORDS, "perfect"][rank] for rank in by_number.predict(features)
    ]


def test_words_without_an_order_are_warned_of() -> None:
    features, ranks = drawn(16)
    model = OrdinalHeadClassifier("linear", recipe=QUICK, random_state=0)
    with pytest.warns(
        UserWarning, match="alphabetical order: excellent < fair < good < poor; give"
    ):
        model.fit(features, np.array(WORDS)[ranks])


def test_errors_are_counted_in_the_labels() -> None:
    features, ranks = drawn()
    ages = np.array([1, 2, 40, 80])[ranks]
    model = OrdinalHeadClassifier("regression", recipe=QUICK, random_state=0).fit(features, ages)
    assert model.rank_values_ == (1, 2, 40, 80)
    falling = fresh(model).set_params(ranks=[80, 40, 2, 1]).fit(features, ages)
    assert falling.rank_values_ == (0, 1, 2, 3)
    assert falling.classes_.tolist() == [80, 40, 2, 1]


def test_a_point_estimate_has_no_probabilities() -> None:
    features, ranks = drawn(40)
    for name in ("regression", "sklearn:Ridge"):
        model = OrdinalHeadClassifier(name, recipe=QUICK, random_state=0).fit(features, ranks)
        assert not hasattr(model, "predict_proba")
        assert set(model.predict(features).tolist()) <= {0, 1, 2, 3}
    assert not hasattr(OrdinalHeadClassifier("regression"), "predict_proba")
    assert hasattr(OrdinalHeadClassifier("sklearn:LogisticRegression"), "predict_proba")


def test_a_grid_search_in_a_pipeline_goes_over_heads_and_their_options() -> None:
    features, ranks = drawn()
    pipeline = make_pipeline(StandardScaler(), OrdinalHeadClassifier(recipe=QUICK, random_state=0))
    prefix = "ordinalheadclassifier__"
    grid = [
        {f"{prefix}head": ["linear", "regression"]},
        {f"{prefix}head": ["coral"], f"{prefix}options": [{"l2": 0.1}, {"l2": 100.0}]},
    ]
    found = GridSearchCV(pipeline, grid, cv=2, scoring="neg_mean_absolute_error").fit(
        features, ranks
    )
    assert len(found.cv_results_["params"]) == 4
    assert len(set(found.cv_results_["mean_test_score"])) > 1
    assert found.predict(features[:3]).shape == (3,)
    assert cross_val_score(pipeline, features, ranks, cv=2).min() > 0.5


def test_options_are_the_head_s_and_win_over_those_typed() -> None:
    features, ranks = drawn(40)
    model = OrdinalHeadClassifier(
        "coral:l2=3:hidden=4", options={"l2": 5.0}, recipe=QUICK, random_state=0
    )
    head = model.fit(features, ranks).head_
    assert head.l2 == 5.0
    alike = OrdinalHeadClassifier("coral:l2=5:hidden=4", recipe=QUICK, random_state=0)
    assert (
        alike.fit(features, ranks).predict_proba(features) == model.predict_proba(features)
    ).all()


def test_a_clone_and_a_pickle_predict_the_same(trained: OrdinalHeadClassifier) -> None:
    features, ranks = drawn()
    expected = trained.predict_proba(features)
    assert (pickle.loads(pickle.dumps(trained)).predict_proba(features) == expected).all()
    assert (fresh(trained).fit(features, ranks).predict_proba(features) == expected).all()
    other = fresh(trained).set_params(random_state=1).fit(features, ranks)
    assert (other.predict_proba(features) != expected).any()


def test_the_state_of_a_generator_seeds_it_anew() -> None:
    features, ranks = drawn(40)
    generator = np.random.RandomState(0)
    model = OrdinalHeadClassifier("linear", recipe=QUICK, random_state=generator)
    first, second = (fresh(model).fit(features, ranks).predict_proba(features) for _ in range(2))
    model.fit(features, ranks)
    again = model.predict_proba(features)
    assert (model.fit(features, ranks).predict_proba(features) != again).any()
    assert (first == second).all()  # a clone copies the state


@pytest.mark.parametrize(
    ("counts", "share", "held_out"),
    [
        ([80, 40, 40], 0.125, [10, 5, 5]),
        ([8, 1, 1], 0.1, [1, 0, 0]),
        ([1, 3, 1], 0.5, [0, 2, 0]),
        ([2, 2], 0.01, None),
        ([2] * 50, 0.9, [1] * 50),
    ],
)
def test_rows_are_held_out_evenly_and_each_rank_trains(
    counts: list[int], share: float, held_out: list[int] | None
) -> None:
    ranks = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    train, val = _held_out(ranks, share, 0)
    assert sorted([*train, *val]) == list(range(len(ranks)))
    assert (np.bincount(ranks[train], minlength=len(counts)) > 0).all()
    if held_out is None:
        assert len(val) == 1
    else:
        assert np.bincount(ranks[val], minlength=len(counts)).tolist() == held_out
    assert (_held_out(ranks, share, 0)[1] == val).all()


def test_all_rows_train_and_validate_where_each_rank_has_one() -> None:
    features, ranks = drawn(4)
    model = OrdinalHeadClassifier("linear", recipe=QUICK, random_state=0).fit(features, ranks)
    assert model.validation_indices_.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"head": "ordinalclip"}, "head 'ordinalclip' prompts a text encoder, and features alone"),
        ({"head": "corl"}, "unknown head 'corl'; did you mean"),
        ({"head": "coral:l3=1"}, "head 'coral' has no option 'l3'"),
        ({"options": {"l2": "much"}}, "head 'coral', option l2='much': wanted a number"),
        ({"recipe": {"epochs": 0}}, "recipe epochs=0: wanted "),
        ({"recipe": {"epoch": 1}}, "recipe epoch=1: unknown key"),
        ({"decode": "mode"}, "unknown decode 'mode'"),
        ({"validation_fraction": 1.0}, "validation_fraction must lie between 0 and 1, got 1.0"),
        ({"ranks": [0, 1, 2]}, r"y has the label 3, which is not in ranks \[0, 1, 2\]"),
        ({"ranks": [0, 1, 2, 3, 3]}, "ranks must differ from each other"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changed: dict[str, Any], said: str) -> None:
    model = OrdinalHeadClassifier("coral", recipe=QUICK, random_state=0).set_params(**changed)
    with pytest.raises(OrdbenchError, match=said) as caught:
        model.fit(*drawn(16))
    assert "\n" not in str(caught.value)


def test_one_class_is_refused_and_so_is_an_unfitted_model() -> None:
    model = OrdinalHeadClassifier("linear", recipe=QUICK)
    with pytest.raises(SpecError, match=r"at least 2 classes are needed, got one class: \[7\]"):
        model.fit(np.zeros((5, 2)), [7] * 5)
    with pytest.raises(NotFittedError):
        model.predict(np.zeros((5, 2)))


def test_no_warning_where_labels_are_numbers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        OrdinalHeadClassifier("linear", recipe=QUICK, random_state=0).fit(*drawn(16))
