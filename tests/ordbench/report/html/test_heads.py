"""What a head's section says of its trainings."""

from ordbench.recipe import Recipe
from ordbench.report.html.heads import head_sections
from ordbench.runs.record import TrainingFacts, Tried
from ordbench.runs.spec import RunSpec
from tests.ordbench.conftest import done


def test_tunings_and_recipes_are_counted() -> None:
    runs = []
    for number, rate in enumerate((0.1, 0.1, 0.5)):
        tried = tuple(Tried(changed={"l2": value}, val_mae=1.0) for value in (0.1, rate))
        runs.append(
            done(
                number,
                spec=RunSpec(head="coral", dataset="fgnet", recipe=Recipe(epochs=1 + number // 2)),
                label="coral" if number < 2 else "coral:l2=3.0",
                training=TrainingFacts(
                    steps=1,
                    best_step=1,
                    val_mae=1.0,
                    parameters=5 + number,
                    tried=tried,
                    chosen=tried[1].changed,
                ),
            )
        )
    (section,) = head_sections(runs)
    assert section.labels == ["coral", "coral:l2=3.0"]
    assert section.tried == 2
    assert section.chosen == [("coral", "l2=0.1", 2), ("coral:l2=3.0", "l2=0.5", 1)]
    assert section.parameters == (5, 7)
    assert [labels for _, labels in section.recipes.items()] == [["coral"], ["coral:l2=3.0"]]
    assert [recipe.split(", ")[3] for recipe in section.recipes] == ["epochs=1", "epochs=2"]
