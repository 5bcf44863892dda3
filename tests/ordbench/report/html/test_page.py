"""The file: one page, no address, nothing that could run but its own script."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

from ordbench.report.html.content import Report
from ordbench.report.html.page import render_page
from tests.ordbench.report.html.conftest import SCRIPT


class Parts(HTMLParser):
    """Tags with attributes, and what is inside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.inside[self.cdata_elem][-1] += data


def digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def test_the_policy_allows_this_script_and_this_style_alone(page_file: Path) -> None:
    parts = Parts(page_file.read_text("utf-8"))
    data, script = parts.inside["script"]
    (style,) = parts.inside["style"]
    (policy,) = [
        attributes["content"]
        for tag, attributes in parts.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest(script)}'; "
        f"style-src 'sha256-{digest(style)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert json.loads(data)[0]["columns"] == ["1-shot", "4-shot"]
    meta = next(at for at, (_, found) in enumerate(parts.tags) if "http-equiv" in found)
    assert not [tag for tag, _ in parts.tags[:meta] if tag in parts.inside], "it comes first"


def test_no_attribute_runs_styles_or_leads_away(page_file: Path) -> None:
    for tag, attributes in Parts(page_file.read_text("utf-8")).tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href", "action", "data", "srcset"):
            address = attributes.get(name) or "#"
            assert re.match("#|data:", address), (tag, address)


def test_the_script_reads_no_text_as_html() -> None:
    folder = Path(__file__).parents[4] / "ordbench" / "report" / "html" / "templates"
    script = (folder / "report.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", script)
    assert "|safe" not in (folder / "report.html.j2").read_text("utf-8").replace(" ", "")


def test_a_page_that_follows_may_ask_its_own_server_alone(report: Report) -> None:
    page = render_page(report, follows="/state#1")
    assert "form-action 'none'; connect-src 'self'\"" in page.replace("&#39;", "'")
    assert '<html lang="en" data-follows="/state#1">' in page


def test_the_same_records_give_the_same_page(report: Report, page_file: Path) -> None:
    assert render_page(report) == page_file.read_text("utf-8")
    assert SCRIPT not in render_page(report)
