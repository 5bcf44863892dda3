"""What a head is told before it learns: the ranks, their names and values, and the context."""

from dataclasses import dataclass
from functools import cached_property

from ordbench.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class Task:
    """K ordered ranks.

    Attributes:
        rank_names: K words ("35", "1930s", "almost_ripe"); prompts say `prompt_names`.
        rank_values: K numbers in ``unit``, strictly rising.
        unit: What ``rank_values`` are measured in ("years").
        context: The words before the rank name in a prompt, without a full stop.

    Raises:
        DatasetError: If there are fewer than two ranks, or the values do not rise.

    >>> task = Task(rank_names=("low", "high"), rank_values=(0, 1), unit="grade", context="it is")
    >>> task.num_ranks
    2
    """

    rank_names: tuple[str, ...]
    rank_values: tuple[float, ...]
    unit: str
    context: str

    def __post_init__(self) -> None:
        if len(self.rank_names) < 2:
            raise DatasetError(
                f"ordinal regression needs at least 2 ranks, got {len(self.rank_names)}: "
                f"{', '.join(map(repr, self.rank_names)) or 'none'}; check the labels"
            )
        if len(self.rank_names) != len(self.rank_values):
            raise DatasetError(
                f"got {len(self.rank_names)} rank_names but {len(self.rank_values)} rank_values; "
                "give each rank one value"
            )
        steps = zip(self.rank_values, self.rank_values[1:], strict=False)
        if not all(low < high for low, high in steps):
            raise DatasetError(
                f"rank_values must rise from rank to rank, got {list(self.rank_values)}"
            )

    @cached_property
    def num_ranks(self) -> int:
        """K."""
        return len(self.rank_names)

    @cached_property
    def prompt_names(self) -> tuple[str, ...]:
        """The rank names as a prompt says them: with blanks for underscores, as in CoOp's code.

        >>> names = ("A_unripe", "B_almost_ripe")
        >>> Task(rank_names=names, rank_values=(0, 1), unit="", context="").prompt_names
        ('A unripe', 'B almost ripe')
        """
        return tuple(name.replace("_", " ") for name in self.rank_names)
