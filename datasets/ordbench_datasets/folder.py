"""A user's own images: one subfolder a rank, in numeric or given order.

Source: the layout of torchvision's ImageFolder, but never in alphabetical order.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from ordbench.data.images import cannot_read, header_problem, name_of, visible, walk
from ordbench.dataset import DatasetCard, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench_datasets._own import OwnImages
from ordbench_datasets._ranks import order, plain


class Folder(OwnImages):
    """Images in ``PATH/RANK/``, to any depth; arguments and options as in `OwnImages`.

    A subfolder without a usable image is refused, unless ``ranks`` names it: then it is a rank, and
    a note says that it has no image.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="a folder of images",
        source="your own images",
        licence="yours",
        how_to_get="put your images into one subfolder a rank",
        layout="PATH/RANK/IMAGE",
        ranks="the subfolders, by number or in the order of ranks=",
        argument="PATH",
    )

    def read(self) -> Samples:
        """List the images by path.

        Raises:
            DatasetError: If there is no folder or no image, if a subfolder has none or cannot be
                read, or if the order is unknown.
        """
        folders = self._rank_folders()
        write = f"folder:{self.argument}"
        ranks = order(folders, self.ranks, where=str(self.path), write=write)
        samples: list[Sample] = []
        rejected: list[SkippedFile] = []
        for path in walk(self.path):
            name = name_of(path, self.path)
            folder = path.relative_to(self.path).parts[0]
            if path.parent == self.path:
                rejected.append(SkippedFile(name, "lies beside the folders of the ranks"))
            elif problem := header_problem(path):
                rejected.append(SkippedFile(name, problem))
            else:
                samples.append(Sample(name, path, ranks.names.index(plain(folder))))
        if not samples:
            raise DatasetError(
                f"{self.path} holds no image in its {len(folders)} subfolders "
                f"({len(rejected)} other files); wanted {self.card.layout}"
            )
        empty = _empty_ranks(ranks.names, samples)
        if empty and not self.ranks:
            raise DatasetError(
                f"{self.path}: no usable image in the subfolders of rank {', '.join(empty)}; take "
                "them away, or name all ranks in ranks="
            )
        return Samples(
            task=ranks.task(self.unit, self.context),
            samples=tuple(samples),
            rejected=tuple(rejected),
            notes=(ranks.note(), *([f"no image has rank {', '.join(empty)}"] if empty else [])),
        )

    def _rank_folders(self) -> list[str]:
        """The rank of each subfolder."""
        if not self.path.is_dir():
            raise DatasetError(f"{self.path} is no folder; wanted {self.card.layout}")
        names = [p.name for p in _entries(self.path) if p.is_dir() and visible(p.name)]
        if not names:
            raise DatasetError(
                f"{self.path} has no subfolders; {self.card.how_to_get} ({self.card.layout}), "
                "or list them in a file and take csv:FILE"
            )
        ranks: dict[str, str] = {}
        for name in names:
            _entries(self.path / name)
            first = ranks.setdefault(plain(name), name)
            if first != name:
                raise DatasetError(
                    f"{self.path}: subfolders {first!r} and {name!r} are the same number; "
                    "put their images together"
                )
        return list(ranks)


def _empty_ranks(names: tuple[str, ...], samples: list[Sample]) -> list[str]:
    used = {sample.rank for sample in samples}
    return [name for rank, name in enumerate(names) if rank not in used]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise cannot_read(error) from None
