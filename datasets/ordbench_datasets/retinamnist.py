"""RetinaMNIST: 1,600 retinal photographs in five grades of diabetic retinopathy, of MedMNIST.

Source: Yang et al. (2023). MedMNIST v2: a large-scale lightweight benchmark for 2D and 3D
biomedical image classification. Scientific Data 10, 41.
https://doi.org/10.1038/s41597-022-01721-8
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from ordbench.data.download import fetch_file
from ordbench.dataset import Dataset, DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench.utils.text import one_line
from ordbench_datasets.families.faces import not_found
from ordbench_datasets.families.retinopathy import GRADES, retinopathy_task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Size = Literal["28", "64", "128", "224"]


@dataclass(frozen=True)
class ArrayImage:
    """One photograph of the file's arrays, as an `ordbench.ImageBytes`: PPM, so without loss.

    Attributes:
        file: The file.
        part: The official part.
        row: Its place among that part's images.
    """

    file: Path
    part: Part
    row: int

    def __str__(self) -> str:
        return f"{self.file}/{self.part}_images[{self.row}]"

    def read(self) -> bytes:
        """See `ordbench.ImageBytes.read`."""
        pixels: NDArray[np.uint8] = _array(self.file, f"{self.part}_images")[self.row]
        height, width, _ = pixels.shape
        return b"P6 %d %d 255\n" % (width, height) + pixels.tobytes()


class RetinaMnist(Dataset):
    """Photographs as arrays in ``retinamnist_224.npz``, or in the file of another size.

    Args:
        root: Folder of the file.
        argument: Nothing.
        size: Pixels along each side.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="RetinaMNIST",
        source="Yang et al. (2023). MedMNIST v2: a large-scale lightweight benchmark for 2D and 3D "
        "biomedical image classification. Scientific Data 10, 41. "
        "https://doi.org/10.1038/s41597-022-01721-8",
        licence="CC BY 4.0",
        how_to_get="put retinamnist_224.npz of https://zenodo.org/records/10519652 into its folder",
        layout="retinamnist_224.npz (or retinamnist_128.npz, retinamnist_64.npz, retinamnist.npz)",
        ranks=f"grades {', '.join(GRADES)}",
    )

    def __init__(self, root: Path, argument: str = "", *, size: Size = "224") -> None:
        super().__init__(root, argument)
        self.ending = "" if size == "28" else f"_{size}"
        self.file = root / f"retinamnist{self.ending}.npz"

    def read(self) -> Samples:
        """List the photographs by part and place.

        Raises:
            DatasetError: If the file is not there or cannot be read.
        """
        if not self.file.is_file():
            raise not_found(self, [SkippedFile(self.file.name, "the file is not there")])
        samples = tuple(sample for part in get_args(Part) for sample in _samples(self.file, part))
        return Samples(task=retinopathy_task(), samples=samples)

    def download(self) -> None:
        """Fetch the file of this size, by the address and the checksum that medmnist lists.

        Raises:
            DatasetError: If that package is missing, or if the file cannot be reached or is not
                the published one.
        """
        package = find_spec("medmnist")
        if package is None or package.origin is None:
            raise DatasetError(
                f"{self.card.title} is downloaded by the list of the package medmnist, which is "
                f"missing; pip install 'ordbench[medmnist]', or {self.card.how_to_get}"
            )
        # Its list alone: the package imports much more, and prints where it cannot.
        known = run_path(str(Path(package.origin).with_name("info.py")))["INFO"]["retinamnist"]
        url, checksum = known[f"url{self.ending}"], f"md5:{known[f'MD5{self.ending}']}"
        fetch_file(url, checksum, self.file, name=self.card.title)


def _samples(file: Path, part: Part) -> list[Sample]:
    images, labels = (_array(file, f"{part}_{what}") for what in ("images", "labels"))
    grades = labels.ravel().tolist()
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != "uint8":
        raise DatasetError(
            f"{file}: wanted {part}_images of shape (N, H, W, 3) and type uint8, got "
            f"{images.shape} and {images.dtype}; fetch the file again"
        )
    if len(grades) != len(images) or not set(grades) <= set(range(len(GRADES))):
        raise DatasetError(
            f"{file}: wanted {len(images)} grades of 0 to 4 in {part}_labels, got {len(grades)} "
            f"from {min(grades, default=0)} to {max(grades, default=0)}; fetch the file again"
        )
    return [
        Sample(f"{part}/{row}", ArrayImage(file, part, row), int(grade), part=part)
        for row, grade in enumerate(grades)
    ]


@lru_cache(maxsize=6)
def _array(file: Path, name: str) -> NDArray[Any]:
    import numpy as np

    try:
        with np.load(file, allow_pickle=False) as arrays:
            found: NDArray[Any] = arrays[name]
    except Exception as error:  # of NumPy and zipfile
        raise DatasetError(
            f"{file} cannot be read: {one_line(error)}; fetch the file again"
        ) from None
    return found
