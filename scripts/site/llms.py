"""``llms.txt``: a list of the pages for programs that read them (https://llmstxt.org)."""

from __future__ import annotations

from collections.abc import Iterator

from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page


def llms_txt(name: str, description: str, nav: Navigation) -> str:
    """Pages without a section come first, then each section with its own."""
    lines = [f"# {name}", "", f"> {description}", ""]
    lines += [_line(item) for item in nav.items if isinstance(item, Page)]
    for section in nav.items:
        if isinstance(section, Section):
            lines += ["", f"## {section.title}", "", *map(_line, _pages(section))]
    return "\n".join(lines) + "\n"


def _pages(section: Section) -> Iterator[Page]:
    for child in section.children:
        if isinstance(child, Page):
            yield child
        elif isinstance(child, Section):
            yield from _pages(child)


def _line(page: Page) -> str:
    """A page, and what its first paragraph says."""
    paragraphs = (page.markdown or "").split("\n\n")
    said = next((one for one in paragraphs if one and one[0] not in "#|-"), "")
    note = " ".join(said.split())
    return f"- [{page.title}]({page.canonical_url or page.url})" + (f": {note}" if note else "")
