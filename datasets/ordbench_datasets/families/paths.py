"""What datasets share whose labels stand in the paths of their images."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ordbench.data.image_files import FoundImage
from ordbench.dataset import Sample, SkippedFile


def read_paths(
    files: Iterable[FoundImage], parse: Callable[[str], Sample | str | None]
) -> tuple[list[Sample], list[SkippedFile]]:
    """List images by their official names, and what is odd there.

    Args:
        files: What lies below the root, sorted by path.
        parse: From a path below the root to a sample without its image, or to the reason why it
            is none; None where the path is none of the dataset's.

    Returns:
        The samples by name, and what was left out; of two files with one name, the first counts.
    """
    samples: dict[str, Sample] = {}
    shown_as: dict[str, str] = {}
    rejected: list[SkippedFile] = []
    for shown, image, problem in files:
        said = parse(shown)
        if said is None:
            continue
        if problem or isinstance(said, str):
            rejected.append(SkippedFile(shown, problem or str(said)))
        elif said.name in samples:
            rejected.append(SkippedFile(shown, f"the same picture as {shown_as[said.name]}"))
        else:
            samples[said.name] = said._replace(image=image)
            shown_as[said.name] = shown
    return [samples[name] for name in sorted(samples)], rejected
