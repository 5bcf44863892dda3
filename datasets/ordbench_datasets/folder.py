"""A user's own images: one subfolder a rank, in numeric or given order.

Source: the layout of torchvision's ImageFolder, but never in alphabetical order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from ordbench.data.image_files import cannot_read, header_problem, name_of, visible, walk
from ordbench.dataset import DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench_datasets.families.own_images import PARTS, OwnImages
from ordbench_datasets.families.ranks import Ranks, listed, plain

_FOLD = re.compile(r"(fold|split)[ _-]?\d+", re.IGNORECASE)


class Folder(OwnImages):
    """Images in ``PATH/RANK/``, to any depth.

    If all subfolders of PATH are called train, val or test, they are the official parts, and the
    ranks are the subfolders of those. A rank without a usable image is refused, unless ``ranks`` or
    ``bins`` names it: then a note says that it has no image.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="a folder of images",
        source="your own images",
        licence="yours",
        how_to_get="put your images into one subfolder a rank",
        layout="PATH/RANK/IMAGE, or PATH/train/RANK/IMAGE and PATH/test/RANK/IMAGE",
        ranks="the subfolders, by number, by bins= or in the order of ranks=",
        argument="PATH",
    )

    def read(self) -> Samples:
        """List the images by path.

        Raises:
            DatasetError: If there is no folder or no image, if a rank has none or a folder cannot
                be read, or if the order is unknown.
        """
        parts = self._parts()
        roots = [self.path / name for name in parts] or [self.path]
        folders = {name for root in roots for name in _rank_folders(root)}
        ranks = self.order(folders, "folder")
        samples: list[Sample] = []
        rejected: list[SkippedFile] = []
        for path in walk(self.path):
            name = name_of(path, self.path)
            top, *below = path.relative_to(self.path).parts
            inside = below if parts else [top, *below]
            if problem := header_problem(path):
                rejected.append(SkippedFile(name, problem))
            elif len(inside) < 2:
                rejected.append(SkippedFile(name, "lies beside the folders of the ranks"))
            else:
                rank = ranks.rank(plain(inside[0]))
                samples.append(Sample(name, path, rank, part=parts.get(top)))
        if not samples:
            raise DatasetError(
                f"{self.path} holds no image in its {len(folders)} subfolders "
                f"({len(rejected)} other files); wanted {self.card.layout}"
            )
        return Samples(
            task=ranks.task(self.unit, self.context),
            samples=tuple(samples),
            rejected=tuple(rejected),
            notes=(
                *self.notes(ranks, "folder"),
                *([f"the folders {', '.join(parts)} are the parts"] if parts else []),
                *self._empty(ranks, samples),
            ),
        )

    def _parts(self) -> dict[str, Part]:
        """The part of each subfolder, where they are parts."""
        names = self._subfolders()
        if not self.ranks and all(map(_FOLD.fullmatch, names)):
            raise DatasetError(
                f"{self.path}: the subfolders {', '.join(names[:3])} look like folds, not ranks; "
                "list the images in a CSV file with a column fold, or name the ranks in ranks="
            )
        parts: dict[str, Part] = {
            name: PARTS[name.lower()] for name in names if name.lower() in PARTS
        }
        if not parts or parts.keys() & set(listed(self.ranks)):
            return {}
        if others := [name for name in names if name not in parts]:
            raise DatasetError(
                f"{self.path} holds parts ({', '.join(parts)}) and other folders "
                f"({', '.join(others[:5])}); move the others away, or name all of them in ranks= "
                "if they are ranks"
            )
        if len(parts) == 1:
            raise DatasetError(
                f"{self.path} holds only the part {names[0]}; write folder:{self.argument}/"
                f"{names[0]} to divide its images by fold"
            )
        return parts

    def _subfolders(self) -> list[str]:
        if not self.path.is_dir():
            raise DatasetError(f"{self.path} is no folder; wanted {self.card.layout}")
        if names := _subfolders(self.path):
            return names
        raise DatasetError(
            f"{self.path} has no subfolders; {self.card.how_to_get} ({self.card.layout}), "
            "or list them in a file and take csv:FILE"
        )

    def _empty(self, ranks: Ranks, samples: Sequence[Sample]) -> list[str]:
        """A note on ranks without an image."""
        used = {sample.rank for sample in samples}
        empty = [name for rank, name in enumerate(ranks.names) if rank not in used]
        if empty and not (self.ranks or self.bins):
            raise DatasetError(
                f"{self.path}: no usable image in the subfolders of rank {', '.join(empty)}; take "
                "them away, or name all ranks in ranks="
            )
        return [f"no image has rank {', '.join(empty)}"] if empty else []


def _rank_folders(root: Path) -> list[str]:
    """The rank of each subfolder."""
    ranks: dict[str, str] = {}
    for name in _subfolders(root):
        _entries(root / name)
        first = ranks.setdefault(plain(name), name)
        if first != name:
            raise DatasetError(
                f"{root}: subfolders {first!r} and {name!r} are the same rank; "
                "put their images together"
            )
    return list(ranks)


def _subfolders(folder: Path) -> list[str]:
    return [path.name for path in _entries(folder) if path.is_dir() and visible(path.name)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise cannot_read(error) from None
