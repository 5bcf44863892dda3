"""The papers that the source line of a card names, and their BibTeX entries."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ordbench.utils.latex import escape_latex

FORMAT = "AUTHORS (YEAR). TITLE. [VENUE.] [https://ADDRESS[, REMARK]]"
_PHRASE = r"(?:(?!\. ).)+"  # up to a full stop
_REFERENCE = re.compile(
    r"(?:(?P<of>[^:()]+): )?(?P<authors>[^:()]+) \((?P<year>\d{4})\)"
    rf"\. (?P<title>(?!https?:){_PHRASE})"
    rf"(?:\. (?P<venue>(?!https?:){_PHRASE}))?"
    r"(?:\. (?P<url>https?://[^\s,]+)(?:, .+)?)?"
)
_PROCEEDINGS = re.compile(r".*(\b\d{4}|workshops)")
_JOURNAL = re.compile(r"(?P<journal>\D+) (?P<volume>\d+)(\((?P<number>\d+)\))?(, (?P<pages>.+))?")
_SMALL_WORDS = {"a", "an", "the", "on", "of", "in"}


@dataclass(frozen=True)
class Reference:
    """One paper.

    Attributes:
        authors: Family names, or a group; the last is ``others`` where not all are named.
        year: Of its publication.
        title: In sentence case.
        venue: Journal or conference; may be empty.
        url: A DOI, arXiv or other address; may be empty.
    """

    authors: tuple[str, ...]
    year: str
    title: str
    venue: str = ""
    url: str = ""

    @property
    def key(self) -> str:
        """Author, year and first word of the title, as in ``li2022ordinalclip``.

        It depends on nothing else, so that a paper has the same key in every table.
        """
        words = (word for word in self.title.split() if word.lower() not in _SMALL_WORDS)
        return (
            _ascii(self.authors[0].split()[-1])
            + self.year
            + _ascii(re.split(r"[-/]", next(words, ""))[0])
        )

    @property
    def bibtex(self) -> str:
        """Its entry, without a line feed at the end."""
        kind, where = _published(self.venue)
        fields = {
            "author": " and ".join(map(_author, self.authors)),
            "title": _title(self.title),
            **where,
            "year": self.year,
            **_address(self.url),
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
        return "\n".join([f"@{kind}{{{self.key},", *lines, "}"])


def references(source: str, name: str = "") -> list[Reference]:
    """The papers in the source line of a card.

    Papers are joined by ``;``, each in the form `FORMAT`. Words and a colon before the authors say
    what a paper is for; where they are names of plug-ins, ``name`` has its own papers only. What
    names no year in parentheses is no paper.

    Args:
        source: As in `ordbench.plugins.catalog.Entry`.
        name: The plug-in.

    Raises:
        ValueError: If a paper has another form; in one line.

    >>> references("Li et al. (2020). A study of age. Kaggle. https://doi.org/10.1/a_b")[0].key
    'li2020study'
    >>> references("an example")
    []
    """
    found: list[tuple[set[str], Reference]] = []
    for piece in source.rstrip(".").split("; "):
        if match := _REFERENCE.fullmatch(piece):
            of = set((match["of"] or "").split(", "))
            authors = match["authors"].replace(" et al.", ", others").replace(" and ", ", ")
            optional = (match["venue"] or "", match["url"] or "")
            paper = Reference(tuple(authors.split(", ")), match["year"], match["title"], *optional)
            found.append((of, paper))
        elif re.search(r"\(\d{4}\)", piece):
            raise ValueError(f"{piece!r} is no reference; wanted {FORMAT}")
    own = [paper for of, paper in found if name in of]
    return own if name and own else [paper for _, paper in found]


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"\W", "", plain).lower()


def _author(name: str) -> str:
    """A family name of several words is no first name and family name."""
    return f"{{{escape_latex(name)}}}" if " " in name else escape_latex(name)


def _title(text: str) -> str:
    """Words with capitals in braces, as styles write titles in lower case.

    >>> _title("Teach CLIP to see: a Study")
    'Teach {CLIP} to see: a {Study}'
    """
    first, *others = text.split()
    kept = [(first, first[1:]), *((word, word) for word in others)]  # a title begins with a capital
    return " ".join(
        escape_latex(word) if part == part.lower() else f"{{{escape_latex(word)}}}"
        for word, part in kept
    )


def _published(venue: str) -> tuple[str, dict[str, str]]:
    if not venue:
        return "misc", {}
    if _PROCEEDINGS.fullmatch(venue):
        return "inproceedings", {"booktitle": escape_latex(venue)}
    if match := _JOURNAL.fullmatch(venue):
        fields = match.groupdict(default="")
        fields["pages"] = fields["pages"].replace("-", "--")
        return "article", {name: escape_latex(text) for name, text in fields.items() if text}
    return "misc", {"howpublished": escape_latex(venue)}


def _address(url: str) -> dict[str, str]:
    """Addresses as they are, without escapes: styles print them as addresses."""
    fields: dict[str, str] = {}
    if (doi := url.removeprefix("https://doi.org/")) != url:
        fields = {"doi": doi}
    elif (eprint := url.removeprefix("https://arxiv.org/abs/")) != url:
        fields = {"eprint": eprint, "archiveprefix": "arXiv"}
    return {**fields, "url": url} if url else {}
