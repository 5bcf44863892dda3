"""The notes below a leaderboard in words, and the signs that they explain."""

from __future__ import annotations

from ordbench.leaderboard.notes import Kind, Note
from ordbench.utils.text import counted

MISSING = "\N{EN DASH}"
CLOSE = "\N{ALMOST EQUAL TO}"
_NOTES: dict[Kind, str] = {
    "marks": "best bold, second best underlined",
    "missing": f"{MISSING} no run with this score",
    "counts": "runs of those expected in parentheses; only cells with the most are marked",
    "point": "point estimate only: {heads}",
    "undefined": "{runs} with an undefined score not shown",
    "unscored": "{detail}: {heads}",
    "tuned": "tuned ({detail}): {heads}",
    "text": "text encoder {detail}: {heads}",
    "division": "test images of {heads}: {detail}",
    "elsewhere": "trained on {heads}, tested on {detail}",
    "leaks": "identity leakage: some people are in both test and training/validation",
    "short": "some ranks have fewer training images than shots",
    "few": "shots {heads}: selected on {detail}, so partly by chance",
    "seeds": "not every head has the same seeds",
    "draws": "some few-shot samples were trained with several seeds",
    "skipped": "skipped: {heads} ({detail})",
    "failed": "{runs} failed and not shown: {heads}",
    "older": "{runs} superseded and not shown",
    "versions": "made by ordbench {detail}",
    "tested": f"{CLOSE} not distinguishable from the best of its column: p of at least {{detail}} "
    "by a paired bootstrap over test images and seeds, with Holm's correction for all comparisons "
    "with that best",
    "one_draw": "tested over images alone where heads share one seed",
    "people": "test images of one person, and identical ones, are drawn together",
    "untested": "not tested: {heads} ({detail})",
    "standings": "rank: mean over {detail}; Borda: share of other heads beaten; Elo: Bradley-Terry "
    "strength, mean 1000; none for a head without a cell in every column",
    "friedman": "Friedman's test of ranks: {detail} (Nemenyi, alpha 0.05)",
    "unranked": "ranks are not tested: {detail}, and 6 datasets and 3 heads are the least",
    "unled": "not tested, as the best head was not: {heads}",
    "unspread": "no interval where few-shot samples were trained with different numbers of seeds",
}


def note_text(note: Note) -> str:
    """A note in words.

    >>> note_text(Note("older", runs=3)), note_text(Note("point", ("a", "b")))
    ('3 runs superseded and not shown', 'point estimate only: a, b')
    """
    words = "not tuned: {heads}" if note.kind == "tuned" and not note.detail else _NOTES[note.kind]
    return words.format(
        heads=", ".join(note.heads), detail=note.detail, runs=counted(note.runs, "run")
    )
