"""CLIP-Adapter: a perceptron moves the features; the text features of the ranks stay.

Source: Gao et al. (2024). CLIP-Adapter: better vision-language models with feature adapters.
International Journal of Computer Vision 132. https://doi.org/10.1007/s11263-023-01891-x

Needs: a text encoder.

Parity: not official: the function is that of the authors' code, of any width; the recipe is
ordbench's own.
"""

from typing import ClassVar

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.prompts.feature_adapter import FeatureAdapter
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead
from ordbench.recipe import Recipe, SearchSpace


class ClipAdapter(SentenceHead):
    """Trains a `FeatureAdapter`.

    Args:
        problem: See `SentenceHead`.
        ratio: Share of the perceptron in the features, above 0, at most 1.
        template: As in `SentenceHead`.

    Raises:
        SpecError: As for `SentenceHead`, and if the ratio is beyond its range.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=5e-3, epochs=200)
    search: ClassVar[SearchSpace] = {"ratio": (0.2, 0.4, 0.6, 0.8)}

    def __init__(
        self, problem: Problem, *, ratio: float = 0.2, template: tuple[str, ...] = TEMPLATES
    ) -> None:
        super().__init__(problem, template=template)
        if not 0 < ratio <= 1:
            raise SpecError(f"ratio={ratio} must be above 0 and at most 1")
        self.projection = FeatureAdapter(problem.in_features, ratio)
