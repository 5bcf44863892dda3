"""A user's own images: tar shards in the layout of WebDataset, read in place.

Source: https://github.com/webdataset/webdataset: members that differ in what follows the first dot
of their names are one sample (``000042.jpg``, ``000042.cls``, ``000042.json``).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from braceexpand import braceexpand

from ordbench.data.image_files import bytes_problem, existing, has_image_name, visible
from ordbench.data.tar_archives import TarEntry, TarMember, tar_entries
from ordbench.dataset import DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError, SpecError
from ordbench.utils.files import expanded
from ordbench.utils.text import one_line, printable
from ordbench_datasets.families.cells import USUAL, parts_win, read_fold, read_group, read_part
from ordbench_datasets.families.own_images import OwnImages

T = TypeVar("T")

# Where a label and more are looked for, the first place first: a member's ending, or a JSON field.
_USUAL = {
    "rank": ("cls", *(f"json.{name}" for name in USUAL["rank"])),
    **{ours: tuple(f"json.{name}" for name in USUAL[ours]) for ours in ("group", "fold", "part")},
}
SHOWN = 8  # fields that an error names
MAX_TEXT = 2**20  # bytes of a member that may say something of an image


class Entry(NamedTuple):
    """One sample of a shard, its fields not yet chosen.

    Attributes:
        name: Shard and member, as a path.
        image: Where its image lies.
        fields: What its other members say: texts by ending, and JSON values by ``json.FIELD``.
        part: The official part of its shard.
    """

    name: str
    image: TarMember
    fields: Mapping[str, str]
    part: Part | None


class Row(NamedTuple):
    """One image with its label, whose rank is not yet put in order."""

    name: str
    image: TarMember
    label: str
    group: str | None
    fold: int | None
    part: Part | None


class WebDataset(OwnImages):
    """Images in tar archives with their labels beside them.

    A sample without an image or a label is skipped and counted. Names of samples are those of their
    shards and members.

    Args:
        root: Not used; the path is the user's own.
        argument: The shards: a path with braces (``train-{0000..0009}.tar``) or wildcards
            (``train-*.tar``), or their folder.
        ranks: As in `OwnImages`.
        bins: As in `OwnImages`.
        context: As in `OwnImages`.
        unit: As in `OwnImages`.
        image: Ending of the images' names, where samples have several; ``left.jpg``.
        rank: Where labels are: ``cls`` for members ``KEY.cls``, ``json.age`` for the field age of
            members ``KEY.json``; empty for ``cls``, else ``json.rank`` or ``json.label``.
        group: Where it is said who is shown; ``-`` to read none, as for the next two.
        fold: Where the official fold is said.
        part: Where the official part is said.
        val: The shards of the official validation images; only with ``test``.
        test: The shards of the official test images; the others train.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="tar archives of images, as WebDataset",
        source="your own images",
        licence="yours",
        how_to_get="pack images (KEY.jpg) and labels (KEY.cls or KEY.json) into tar archives",
        layout="tar archives with KEY.jpg and KEY.cls, or KEY.json with a field rank or label",
        ranks="the labels, by number, by bins= or in the order of ranks=",
        argument="PATH",
        reads=(".tar",),
    )

    def __init__(
        self,
        root: Path,
        argument: str = "",
        *,
        ranks: str = "",
        bins: str = "",
        context: str = "",
        unit: str = "",
        image: str = "",
        rank: str = "",
        group: str = "",
        fold: str = "",
        part: str = "",
        val: str = "",
        test: str = "",
    ) -> None:
        super().__init__(root, argument, ranks=ranks, bins=bins, context=context, unit=unit)
        self.named = {"rank": rank, "group": group, "fold": fold, "part": part}
        self.image = image.lower().lstrip(".")
        self.patterns: dict[Part | None, str] = {None: argument}
        if test:
            self.patterns = {"train": argument, "val": val, "test": test}
            self.named["part"] = "-"
        elif val:
            raise SpecError(f"val={val}: there are no test images; give test=, too")

    def read(self) -> Samples:
        """List the images by shard, in their order.

        Raises:
            DatasetError: If a shard is missing or damaged, or no sample can be used.
            SpecError: If an option names what no sample has.
        """
        shards = self._shards()
        top = os.path.commonpath([shard.parent for shard in shards])
        found = [
            one
            for shard, part in shards.items()
            for one in _entries(shard, shard.relative_to(top).as_posix(), part, self.image)
        ]
        entries = [one for one in found if isinstance(one, Entry)]
        used = self._used(entries)
        said = [self._row(entry, used) for entry in entries]
        rows = [one for one in said if isinstance(one, Row)]
        rejected = [one for one in (*found, *said) if isinstance(one, SkippedFile)]
        if not rows:
            first = f", first {rejected[0].name!r} ({rejected[0].reason})" if rejected else ""
            raise DatasetError(
                f"{self.path}: none of its {len(rejected)} samples can be used{first}; wanted "
                f"{self.card.layout}; or say where the labels are: rank=json.FIELD"
            )
        ranks = self.order((row.label for row in rows), "webdataset")
        sources = ", ".join(f"{ours} from {source}" for ours, source in used.items())
        return Samples(
            task=ranks.task(self.unit, self.context),
            samples=tuple(
                Sample(row.name, row.image, ranks.rank(row.label), row.group, row.fold, row.part)
                for row in rows
            ),
            rejected=tuple(rejected),
            notes=(*self.notes(ranks, "webdataset"), f"read {sources}", *parts_win(used)),
        )

    def _shards(self) -> dict[Path, Part | None]:
        """The shards and their parts, by path.

        Raises:
            DatasetError: If a pattern finds none.
            SpecError: If a pattern cannot be read, or two of them find one shard.
        """
        found: dict[Path, Part | None] = {}
        for part, pattern in self.patterns.items():
            shards = _matching(pattern) if pattern else []
            if pattern and not shards:
                raise DatasetError(
                    f"{pattern}: there is no tar archive of that name; wanted {self.card.layout}"
                )
            if twice := [shard for shard in shards if shard in found]:
                raise SpecError(
                    f"{twice[0]} is a shard of {found[twice[0]]} and of {part}; name each shard "
                    "once"
                )
            found |= dict.fromkeys(shards, part)
        return found

    def _used(self, entries: Sequence[Entry]) -> dict[str, str]:
        """The field behind each of rank, group, fold and part that is there.

        Raises:
            SpecError: If an option names one that no sample has.
        """
        there = dict.fromkeys(field for entry in entries for field in entry.fields)
        used: dict[str, str] = {}
        for ours, usual in _USUAL.items():
            named = self.named[ours]
            if named and named != "-" and named not in there and entries:
                more = ", ..." if len(there) > SHOWN else ""
                raise SpecError(
                    f"{self.path}: no sample has {named!r} ({ours}={named}); they have "
                    f"{printable(', '.join([*there][:SHOWN])) or 'images alone'}{more}"
                )
            names = (named,) if named else usual
            if field := next((name for name in names if name in there), None):
                used[ours] = field
        return used

    def _row(self, entry: Entry, used: Mapping[str, str]) -> Row | SkippedFile:
        """What is said of one image; one without a label is skipped.

        Raises:
            DatasetError: Naming the sample and the field that is unusable.
        """

        def optional(ours: str, wanted: str, read: Callable[[str], T], mend: str = "") -> T | None:
            if ours not in used:
                return None
            text = entry.fields.get(used[ours], "")
            try:
                return read(text)
            except ValueError:
                raise DatasetError(
                    f"{entry.image}, {used[ours]}: wanted {wanted}, got {text!r}; "
                    f"{mend or f'write {ours}=- to ignore it'}"
                ) from None

        if not entry.fields.get(used.get("rank", ""), ""):
            return SkippedFile(entry.name, f"no label ({used.get('rank', 'cls')})")
        return Row(
            entry.name,
            entry.image,
            optional("rank", "a rank", self.label, "add it to ranks=") or "",
            optional("group", "a group, such as a person", read_group),
            optional("fold", "a whole number of at least 0", read_fold),
            entry.part or optional("part", "train, val or test", read_part),
        )


def _matching(pattern: str) -> list[Path]:
    """The shards that a pattern names, in its order; those of wildcards by name.

    Raises:
        SpecError: If its braces do not match.
    """
    whole = existing(expanded(pattern))
    if whole.is_dir():
        return sorted(path.absolute() for path in whole.glob("*.tar"))
    try:
        names = [pattern] if whole.exists() else [*braceexpand(pattern, escape=False)]
    except ValueError:
        raise SpecError(f"{pattern}: its braces do not match; write {{0000..0009}}") from None
    paths = [existing(expanded(name)) for name in names]
    found = [
        [path] if path.exists() or not has_magic(str(path)) else map(Path, sorted(glob(str(path))))
        for path in paths
    ]
    there = [path.absolute() for some in found for path in some]
    return there if any(path.exists() for path in there) else []


def _entries(
    shard: Path, name: str, part: Part | None, wanted: str
) -> Iterator[Entry | SkippedFile]:
    """The samples of a shard, and what is none.

    Args:
        shard: The archive.
        name: What it is called in the names of samples.
        part: Its part.
        wanted: The ending of the images; empty for any.

    Raises:
        DatasetError: If the shard is damaged, or a sample has several images.
    """
    samples: defaultdict[str, dict[str, TarEntry]] = defaultdict(dict)
    for entry in tar_entries(shard):
        folder, leaf = os.path.split(entry.name)
        key, dot, ending = leaf.partition(".")
        if not all(map(visible, entry.name.split("/"))):
            continue
        if entry.problem or not key or not dot:
            yield SkippedFile(f"{name}/{entry.name}", entry.problem or "no ending after a key")
            continue
        members = samples[os.path.join(folder, key)]
        if ending.lower() in members:
            yield SkippedFile(f"{name}/{entry.name}", "the archive has it twice")  # the last counts
        members[ending.lower()] = entry
    for key, members in samples.items():
        images = [wanted] if wanted else [end for end in members if has_image_name(f"x.{end}")]
        if len(images) > 1:
            raise DatasetError(
                f"{shard}: the sample {key} has the images {', '.join(images)}; say which one to "
                f"take: image={images[0]}"
            )
        if not images or images[0] not in members:
            yield SkippedFile(f"{name}/{key}", f"no image{f' {wanted}' if wanted else ''}")
            continue
        image = members.pop(images[0])
        if problem := bytes_problem(image.name, image.member.start(12)):
            yield SkippedFile(f"{name}/{image.name}", problem)
        else:
            yield Entry(f"{name}/{image.name}", image.member, _fields(members), part)


def _fields(members: Mapping[str, TarEntry]) -> dict[str, str]:
    """What the members beside an image say, as text.

    Raises:
        DatasetError: If one of them is no text in UTF-8 or no JSON.
    """
    fields: dict[str, str] = {}
    for ending, (_, member, _) in members.items():
        if member.size > MAX_TEXT or has_image_name(f"x.{ending}"):
            continue
        try:
            text = member.read().decode()
            if ending == "json":
                content = json.loads(text, parse_int=str, parse_float=str)
                fields |= dict(_flat("json", content))
            else:
                fields[ending] = text.strip()
        except (ValueError, RecursionError) as error:
            if ending in {"cls", "json"}:
                raise DatasetError(f"{member} cannot be read: {one_line(error)}") from None
    return fields


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (any JSON)
    """The words and numbers in a JSON value by where they stand: ``json.meta.age``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif value is not None and not isinstance(value, list):
        yield name, str(value).strip()
