"""What `ordbench compare` prints: a line for each setting, then where the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from ordbench.cli.grids import print_grid
from ordbench.errors import SpecError
from ordbench.leaderboard.significance import ALPHA
from ordbench.utils.text import counted, printable

if TYPE_CHECKING:
    from ordbench.report.comparison import Comparison
    from ordbench.report.differences import Differences, Image, Part
    from ordbench.statistics.intervals import Interval
    from ordbench.statistics.paired import Paired

_NUMBERS = ("difference", "95 % interval", "these runs", "p", "p (Holm)", "d", "images", "seeds")


def print_comparison(found: Comparison, *, top: int, attributes: Sequence[str]) -> None:
    """Print all settings, and where the two differ if there is one setting.

    Args:
        found: What was compared.
        top: How many images and people to name.
        attributes: See `ordbench.report.differences.differences`.
    """
    single = len(found.settings) == 1
    if attributes and not single:
        raise SpecError(
            f"--group-by {','.join(attributes)} is printed for one setting, got "
            f"{len(found.settings)}; choose one (--dataset, --shots ...), or add --json"
        )
    details = None
    if single:  # before anything is printed, as it may fail
        details = found.differences(found.settings[0], top=top, attributes=attributes)
    facts = [setting.facts for setting in found.settings]
    known = dict.fromkeys(name for one in facts for name in one)  # some have no options to tell
    told = [name for name in known if len({one.get(name) for one in facts}) > 1]
    typer.echo(printable("; ".join(_caption(found, told))))
    typer.echo()
    names = [found.first, found.second]
    rows = [
        [*(one.facts.get(name, "") for name in told), *_numbers(one.paired)]
        for one in found.settings
    ]
    print_grid([*told, *names, *_NUMBERS], rows, left=len(told))
    typer.echo()
    for line in _explained(found):
        typer.echo(printable(line))
    if not single:
        typer.echo(
            "choose one setting (--dataset, --shots ...) to see where they differ, or --json"
        )
    elif details:
        _print_details(details, names)


def _caption(found: Comparison, told: Sequence[str]) -> Iterator[str]:
    better = "higher" if found.metric.higher_is_better else "lower"
    yield f"{found.metric.title} [{found.unit}], {better} is better"
    if not found.metric.of_posterior:
        yield f"decoded by {found.decode}"
    for name, value in found.settings[0].facts.items():
        if name not in told:
            yield f"{name} {value}"


def _explained(found: Comparison) -> Iterator[str]:
    pairs = [setting.paired for setting in found.settings if setting.paired]
    significant = sum(pair.p_holm is not None and pair.p_holm < ALPHA for pair in pairs)
    number = counted(len(pairs), "difference")
    yield f"{significant} of {number} significant (two-sided, Holm, alpha {ALPHA:g})"
    yield f"difference: {found.first} less {found.second}, on the same images and seeds"
    seeds = " and seeds" if any(pair.draws > 1 for pair in pairs) else ", for this very seed"
    yield f"95 % interval and p: by a paired bootstrap over test images{seeds}"
    if any(pair.units < pair.images for pair in pairs):
        yield "images of one person, and identical ones, are drawn together"
    yield "these runs: 95 % interval over test images alone, for these very seeds"
    yield "d: difference over its standard deviation among images"


def _print_details(details: Differences, names: Sequence[str]) -> None:
    _print_parts("by true value", details.by_rank, names)
    _print_parts("by distance of the truth from the train median", details.by_distance, names)
    for name, parts in details.by_attribute.items():
        _print_parts(f"by {name}", parts, names)
    if details.people:
        typer.echo("\npeople with the largest differences")
        people = [[one.name, str(one.images), f"{one.difference:+.3f}"] for one in details.people]
        print_grid(["", "images", "difference"], people)
    for name, number, images in (
        (names[0], details.first_better, details.best_of_first),
        (names[1], details.second_better, details.best_of_second),
    ):
        typer.echo()
        typer.echo(printable(f"{name} is better on {counted(number, 'image')}"))
        if images:
            print_grid(["image", "true", *names, "difference"], map(_image, images))


def _print_parts(title: str, parts: Sequence[Part], names: Sequence[str]) -> None:
    if not parts:
        return
    typer.echo()
    typer.echo(printable(f"{title} (p values not adjusted)"))
    rows: list[list[str]] = []
    for name, paired in parts:
        first, second, difference, ends, _, p_value, *_ = _numbers(paired)
        rows.append([name, str(paired.images), first, second, difference, ends, p_value])
    print_grid(["", "images", *names, "difference", "95 % interval", "p"], rows)


def _numbers(paired: Paired | None) -> list[str]:
    if paired is None:
        return ["", "", "no seeds in common", *[""] * (len(_NUMBERS) - 1)]
    people = f" ({paired.units})" if paired.units < paired.images else ""
    return [
        f"{paired.first:.3f}",
        f"{paired.second:.3f}",
        f"{paired.difference:+.3f}",
        _ends(paired.interval),
        _ends(paired.over_images),
        _p_value(paired.p),
        _p_value(paired.p_holm),
        "" if paired.effect is None else f"{paired.effect:+.2f}",
        f"{paired.images}{people}",
        str(paired.draws),
    ]


def _image(image: Image) -> list[str]:
    return [
        image.sample,
        f"{image.true:g}",
        f"{image.first:.3f}",
        f"{image.second:.3f}",
        f"{image.difference:+.3f}",
    ]


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.low:+.3f} to {interval.high:+.3f}"


def _p_value(p_value: float | None) -> str:
    if p_value is None:
        return ""
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"
