"""A user's own images: one subfolder a rank, in numeric or given order; on disk or zipped.

Source: the layout of torchvision's ImageFolder, but never in alphabetical order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from ordbench.data.folders import ImageFolder, image_folder
from ordbench.dataset import PARTS, DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench_datasets.families.own_images import OwnImages
from ordbench_datasets.families.ranks import Ranks, listed, plain

_FOLD = re.compile(r"(fold|split)[ _-]?\d+", re.IGNORECASE)


class Folder(OwnImages):
    """Images in ``PATH/RANK/``, to any depth.

    PATH may be a zip archive, or a folder inside one (``photos.zip/photos``); it is read in place.
    If all subfolders of PATH are called train, val or test, they are the official parts, and the
    ranks are the subfolders of those. A rank without a usable image is refused, unless ``ranks`` or
    ``bins`` names it: then a note says that it has no image.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="a folder of images",
        source="your own images",
        licence="yours",
        how_to_get="put your images into one subfolder a rank",
        layout="PATH/RANK/IMAGE, or PATH/train/RANK/IMAGE and PATH/test/RANK/IMAGE, "
        "where PATH may be a zip archive",
        ranks="the subfolders, by number, by bins= or in the order of ranks=",
        argument="PATH",
        reads=("/", ".zip"),
    )

    def read(self) -> Samples:
        """List the images by path.

        Raises:
            DatasetError: If there is no folder or no image, if a rank has none or a folder cannot
                be read, or if the order is unknown.
        """
        parts = self._parts()
        folders = {rank for top in parts or [None] for rank in self._rank_folders(top)}
        ranks = self.order(folders, "folder")
        samples: list[Sample] = []
        rejected: list[SkippedFile] = []
        for name, image, problem in self._folder.files():
            top, *below = name.split("/")
            inside = below if parts else [top, *below]
            if problem:
                rejected.append(SkippedFile(name, problem))
            elif len(inside) < 2:
                rejected.append(SkippedFile(name, "lies beside the folders of the ranks"))
            else:
                rank = ranks.rank(plain(inside[0]))
                samples.append(Sample(name, image, rank, part=parts.get(top)))
        if not samples:
            first = f", first {rejected[0].name!r}: {rejected[0].reason}" if rejected else ""
            raise DatasetError(
                f"{self.path} holds no image in its {len(folders)} subfolders "
                f"({len(rejected)} other files{first}); wanted {self.card.layout}"
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

    @cached_property
    def _folder(self) -> ImageFolder:
        if folder := image_folder(self.path):
            return folder
        got = "is not a folder" if self.path.exists() else "does not exist"
        raise DatasetError(f"{self.path} {got}; wanted {self.card.layout}")

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
        named = parts or self.bins or plain(names[0]) in listed(self.ranks)
        if len(names) == 1 and not named and self._folder.subfolders(*names):
            raise DatasetError(
                f"{self.path} holds one folder, {names[0]}, and one rank is too few; if the ranks "
                f"lie in that folder, write folder:{self.argument}/{names[0]}"
            )
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
        if names := self._folder.subfolders():
            return names
        raise DatasetError(
            f"{self.path} has no subfolders; {self.card.how_to_get} ({self.card.layout}), "
            "or list them in a file and take csv:FILE"
        )

    def _rank_folders(self, part: str | None) -> list[str]:
        """The rank of each subfolder, of a part if there are parts."""
        above = [part] if part else []
        ranks: dict[str, str] = {}
        for name in self._folder.subfolders(*above):
            self._folder.subfolders(*above, name)  # one that may not be read is refused
            first = ranks.setdefault(plain(name), name)
            if first != name:
                raise DatasetError(
                    f"{self.path.joinpath(*above)}: subfolders {first!r} and {name!r} are the same "
                    "rank; put their images together"
                )
        return list(ranks)

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
