import pytest
from pydantic import ValidationError

from ordbench.recipe import Recipe


@pytest.mark.parametrize(("num_images", "steps"), [(1, 30), (100, 40), (128, 40), (129, 50)])
def test_steps_are_epochs_of_batches_but_not_too_few(num_images: int, steps: int) -> None:
    assert Recipe(epochs=10, min_steps=30, batch_size=32).steps(num_images) == steps


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0},
        {"learning_rate": "inf"},
        {"weight_decay": "nan"},
        {"epochs": 0},
        {"optimizer": "lion"},
    ],
    ids=str,
)
def test_settings_that_cannot_train_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate(settings)
