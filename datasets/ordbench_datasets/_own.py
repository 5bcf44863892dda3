"""What a user's own images have in common: a path, and ranks whose order the user may give."""

from __future__ import annotations

from pathlib import Path

from ordbench.dataset import Dataset


class OwnImages(Dataset):
    """A dataset at a path of the user's own.

    Args:
        root: Not used; the path is the user's own.
        argument: The folder or file.
        ranks: The ranks from lowest to highest, separated by ``;``; one may be without images.
            Empty where all of them are numbers.
        context: The words before the rank in a prompt.
        unit: What the numbers are measured in.
    """

    def __init__(
        self,
        root: Path,
        argument: str = "",
        *,
        ranks: str = "",
        context: str = "",
        unit: str = "",
    ) -> None:
        super().__init__(root, argument)
        self.path = Path(argument).expanduser()
        self.ranks = ranks
        self.context = context
        self.unit = unit
