"""The order of a user's own ranks: by number, in bins, or as given; never by alphabet."""

from __future__ import annotations

import re
import shlex
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from math import isfinite
from typing import NamedTuple

from ordbench.data.image_files import composed
from ordbench.errors import DatasetError, SpecError
from ordbench.task import Task

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_FIRST_NUMBER = re.compile(r"((?<!\w)[-\N{MINUS SIGN}])?\d+([.,]\d+)?")
_SCALE = re.compile(r"\d\s*(k|m|mm|cm|g|kg|day|week|mo|month|y|yr|year)s?\b", re.IGNORECASE)
_LOWER, _HIGHER = re.compile(r"\s*(<|≤|below|under|less|up to)"), re.compile(r"\s*(>|≥|above|over)")

# So many distinct values are measurements rather than ranks: whole numbers, and with fractions.
MANY_WHOLE, MANY_FRACTIONS = 150, 20


class Ranks(NamedTuple):
    """K ranks in order.

    Attributes:
        names: As a prompt says them; numbers in their shortest form.
        values: The numbers themselves where they are known to rise, else 0..K-1.
        how: How the order came about, for a note.
        unit: ``units`` where the values are the numbers themselves, else ``ranks``.
        edges: Where one bin ends and the next begins; empty where each label is a rank.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    how: str
    unit: str = "ranks"
    edges: tuple[float, ...] = ()

    def rank(self, label: str) -> int:
        """The rank 0..K-1 of a label, as `plain` gives it; an edge belongs to the bin above."""
        return bisect_right(self.edges, float(label)) if self.edges else self.names.index(label)

    def task(self, unit: str, context: str) -> Task:
        """The task of these ranks; empty words are replaced by neutral ones.

        Raises:
            SpecError: If ranks whose distances are unknown are to have a unit.
        """
        if unit and unit != self.unit == "ranks":
            raise SpecError(
                f"unit={unit}: the distances of these ranks are unknown ({self.note()}), so that "
                "errors are counted in ranks; leave unit= out"
            )
        return Task(
            rank_names=self.names,
            rank_values=self.values,
            unit=unit or self.unit,
            context=context or "the rank of this image is",
        )

    def note(self) -> str:
        """One line on the order, long ones cut in the middle.

        >>> Ranks(("2", "10"), (2.0, 10.0), "by number").note()
        'ranks by number: 2 < 10'
        """
        names = self.names if len(self.names) <= 8 else (*self.names[:4], "...", *self.names[-3:])
        return f"ranks {self.how}: {' < '.join(names)}"


def plain(label: str) -> str:
    """A label without blanks around it, in Unicode's composed form; a number in its shortest form.

    >>> plain(" low "), plain("010"), plain("2.50"), plain("1e-05")
    ('low', '10', '2.5', '0.00001')
    """
    label = composed(label.strip())
    number_text = label.replace("\N{MINUS SIGN}", "-")
    if not is_number(number_text):
        return label
    number = Decimal(number_text)
    if number == int(number):
        return str(int(number))
    return format(Decimal(repr(float(number_text))), "f")


def is_number(label: str) -> bool:
    """Whether a label is a finite number in ASCII digits, as people and pandas write it."""
    return _NUMBER.fullmatch(label) is not None and isfinite(float(label))


def listed(given: str) -> list[str]:
    r"""The names in the option ``ranks``; ``\;`` is a semicolon in a name.

    >>> listed(r"low; a\;b ;07")
    ['low', 'a;b', '7']
    """
    names = re.split(r"(?<!\\);", given)
    return [plain(name.replace("\\;", ";")) for name in names if name.strip()]


def order(labels: Iterable[str], given: str, *, where: str, write: str, bins: str = "") -> Ranks:
    r"""Put labels in order.

    Args:
        labels: As `plain` gives them.
        given: The option ``ranks``: labels separated by ``;``, lowest first, or empty.
        where: What an error names (a folder, a file).
        write: How a user gives the option ("folder:PATH").
        bins: The option ``bins``: rising numbers separated by ``;``, or empty.

    Raises:
        SpecError: If the given order names a rank twice, or ``bins`` cannot be used.
        DatasetError: If labels are words and no order is given, or if it lacks one of them.

    >>> order(["10", "9"], "", where="x", write="folder:x").names
    ('9', '10')
    >>> order(["high", "low"], "low;high", where="x", write="folder:x").values
    (0.0, 1.0)
    >>> order(["7", "30"], "", where="x", write="folder:x", bins="20;40").names
    ('below 20', '20 to 40', '40 or more')
    """
    found = set(labels)
    if given and bins:
        raise SpecError(f"ranks={given!r} and bins={bins!r} exclude each other; take one of them")
    if given:
        return _as_given(found, given, where)
    if len(found) == 1 and not bins:
        raise DatasetError(
            f"{where}: ordinal regression needs at least 2 ranks, got 1: {_shown([*found])}; check "
            "the labels"
        )
    if words := sorted(label for label in found if not is_number(label)):
        if bins:
            raise SpecError(
                f"bins={bins!r}: {where} has labels that are no numbers: {words[0]!r}; correct "
                "them, or leave bins= out"
            )
        raise DatasetError(
            f"{where} has ranks that are no numbers, so their order is unknown: "
            f"{_shown(_sorted(found))}; {_advice(found, write)}"
        )
    if bins:
        return in_bins(bins)
    names = _sorted(found)
    values = tuple(map(float, names))
    for (low, high), (name, next_name) in zip(pairwise(values), pairwise(names), strict=True):
        if low >= high:
            raise DatasetError(
                f"{where}: the ranks {name!r} and {next_name!r} are the same number in double "
                "precision, so their order is unknown; give it in ranks="
            )
    return Ranks(tuple(names), values, "by number", "units")


def in_bins(bins: str) -> Ranks:
    """Ranks between rising numbers, which are separated by ``;``.

    Raises:
        SpecError: If they are not rising numbers.

    >>> in_bins("0.2;0.8").names
    ('below 0.2', '0.2 to 0.8', '0.8 or more')
    """
    texts = [plain(edge) for edge in bins.split(";")]
    if not all(map(is_number, texts)) or not _rising(edges := tuple(map(float, texts))):
        raise SpecError(f'bins={bins!r}: wanted rising numbers, such as bins="20;40;60"')
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    names = (f"below {texts[0]}", *between, f"{texts[-1]} or more")
    return Ranks(names, tuple(map(float, range(len(names)))), "in bins", edges=edges)


def continuous(ranks: Ranks, write: str) -> str:
    """What to say of ranks that look like measurements, each a rank of its own; else nothing."""
    fractions = any(not value.is_integer() for value in ranks.values)
    count = len(ranks.values)
    if ranks.unit == "ranks" or count <= (MANY_FRACTIONS if fractions else MANY_WHOLE):
        return ""
    fifths = [f"{ranks.values[count * n // 5]:.3g}" for n in range(1, 5)]
    edges = ";".join(plain(edge) for edge in dict.fromkeys(fifths))
    return (
        f"{count} distinct labels look continuous, and each is a rank; to put them into bins, "
        f"write {_quoted(write, 'bins', edges)}"
    )


GRADES = 5
"""As many numbers may be grades, of which some are not used."""


def sparse(ranks: Ranks) -> str:
    """What to say of many whole numbers of which some are missing in between; else nothing.

    >>> sparse(order("20 21 22 24 27 30".split(), "", where="x", write="csv:x"))
    '6 ranks from 20 to 30: numbers in between are never predicted; give ranks= or bins='
    >>> sparse(order("0 10 20 30 40 50".split(), "", where="x", write="csv:x"))
    ''
    """
    count = len(ranks.names)
    steps = {high - low for low, high in pairwise(ranks.values)}
    whole = all(value.is_integer() for value in ranks.values)
    if count <= GRADES or len(steps) == 1 or not whole:
        return ""
    first, last = ranks.names[0], ranks.names[-1]
    return (
        f"{count} ranks from {first} to {last}: numbers in between are never "
        "predicted; give ranks= or bins="
    )


def _as_given(found: set[str], given: str, where: str) -> Ranks:
    names = listed(given)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SpecError(f"ranks={given!r} names {twice[0]!r} twice; name each rank once")
    if missing := _sorted(found - set(names)):
        spelled = {name.casefold(): name for name in names}
        if len(names) == 1 and "," in given:
            raise DatasetError(
                f"{where} has ranks that ranks={given!r} does not name: {_shown(missing)}; "
                "separate them by semicolons"
            )
        near = [spelled[label.casefold()] for label in missing if label.casefold() in spelled]
        advice = f"upper and lower case must agree, as in {near[0]!r}" if near else "add them"
        raise DatasetError(
            f"{where} has ranks that ranks={given!r} does not name: {_shown(missing)}; {advice}"
        )
    how = "in the order given"
    if all(map(is_number, names)) and _rising(numbers := tuple(map(float, names))):
        return Ranks(tuple(names), numbers, how, "units")
    return Ranks(tuple(names), tuple(map(float, range(len(names)))), how)


def _rising(numbers: Sequence[float]) -> bool:
    return all(low < high for low, high in pairwise(numbers))


def _advice(found: set[str], write: str) -> str:
    """What to type: the order that the numbers in the labels suggest, or a pattern to fill in."""
    keys = {label: _suggested_place(label) for label in found}
    places = list(keys.values())
    scales = {tuple(_SCALE.findall(label)[:1]) for label in found}  # 6 months are less than 1 year
    if None in places or len(set(places)) < len(places) or len(scales) > 1:
        return f'write {write}:ranks="LOWEST;...;HIGHEST"'
    suggested = sorted(found, key=lambda label: keys[label] or (0.0, 0))
    line = _quoted(write, "ranks", ";".join(name.replace(";", "\\;") for name in suggested))
    comma = any(re.fullmatch(r"[+-]?\d*,\d+", label) for label in found)
    point = "write decimals with a point, as in 2.5, or, " if comma else ""
    return f"{point}if this is their order, write {line}"


def _suggested_place(label: str) -> tuple[float, int] | None:
    """By the first number in a label; "<20" comes before "20-39", and ">60" after "60"."""
    match = _FIRST_NUMBER.search(label)
    if not match or re.search(r"\d[,.\s'\N{RIGHT SINGLE QUOTATION MARK}_]\d{3}(?!\d)", label):
        return None  # 1,000 may be one or a thousand
    if re.search(r"\d\s*[/\N{FRACTION SLASH}]\s*\d", label):
        return None  # 1/2 is more than 2/5
    side = bool(_HIGHER.match(label.lower())) - bool(_LOWER.match(label.lower()))
    return float(match[0].replace(",", ".").replace("\N{MINUS SIGN}", "-")), side


def _quoted(write: str, option: str, value: str) -> str:
    return "--dataset " + shlex.quote(f'{write}:{option}="{value}"')


def _sorted(labels: Iterable[str]) -> list[str]:
    """Numbers by value, then words by alphabet: for numbers alone, and for messages."""
    return sorted(labels, key=lambda x: (0, float(x), x) if is_number(x) else (1, 0.0, x))


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (
        ", ".join(repr(name if len(name) <= 60 else f"{name[:60]}...") for name in names[:10])
        + more
    )
