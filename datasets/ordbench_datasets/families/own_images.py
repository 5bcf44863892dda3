"""What a user's own images have in common: a path, and ranks whose order the user may give."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ordbench.data.image_files import existing
from ordbench.dataset import Dataset
from ordbench.utils.files import expanded
from ordbench_datasets.families.ranks import Ranks, continuous, listed, order, plain, sparse

# How tables say that a value is unknown.
EMPTY = {"", "nan", "none", "null", "na", "n/a", "#n/a", "<na>", "nat", "inf", "-inf"}


class OwnImages(Dataset):
    r"""A dataset at a path of the user's own.

    Args:
        root: Not used; the path is the user's own.
        argument: The folder or file.
        ranks: The ranks from lowest to highest, separated by ``;`` (``\;`` within a name); one may
            be without images. Empty where all of them are numbers.
        bins: Numbers from lowest to highest, separated by ``;``, at which the labels are cut into
            ranks: ``20;40`` makes "below 20", "20 to 40" (without 40) and "40 or more".
        context: The words before the rank in a prompt.
        unit: What the numbers are measured in; only where the ranks are rising numbers.
    """

    def __init__(
        self,
        root: Path,
        argument: str = "",
        *,
        ranks: str = "",
        bins: str = "",
        context: str = "",
        unit: str = "",
    ) -> None:
        super().__init__(root, argument)
        self.path = existing(expanded(argument))
        self.ranks = ranks
        self.bins = bins
        self.context = context
        self.unit = unit

    def label(self, text: str) -> str:
        """A label as ranks are compared.

        Raises:
            ValueError: If it is empty, or says that it is unknown and ``ranks`` does not name it.
        """
        if (
            not text
            or "\0" in text
            or (text.lower() in EMPTY and plain(text) not in listed(self.ranks))
        ):
            raise ValueError
        return plain(text)

    def order(self, labels: Iterable[str], name: str) -> Ranks:
        """Put labels in order, as the options say; ``name`` is the dataset's, for errors."""
        write = f"{name}:{self.argument}"
        return order(labels, self.ranks, where=str(self.path), write=write, bins=self.bins)

    def notes(self, ranks: Ranks, name: str) -> list[str]:
        """What to say of the ranks, one line each."""
        more = continuous(ranks, f"{name}:{self.argument}")
        if not (more or self.ranks or self.bins):
            more = sparse(ranks)
        return [ranks.note(), *([more] if more else [])]
