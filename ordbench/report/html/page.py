"""A report as one HTML file: no network, no script but its own, everything from records escaped."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ordbench.report.html.content import Report
from ordbench.report.html.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from ordbench.report.html.data import page_data
from ordbench.utils.text import counted, printable

_SIZES = {
    "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP,
    "bottom": HEIGHT - BOTTOM,
}  # fmt: skip


def render_page(report: Report, *, follows: str = "") -> str:
    """The page of a report.

    Args:
        report: What it shows.
        follows: Address on the same server that says when there is something new, and what the
            page shows now, parted by a ``#``; empty for a page that stands alone.
    """
    style, script = _asset("report.css"), _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            data=Markup(page_data(report)),
            style=Markup(style),
            script=Markup(script),
            policy=content_policy(style, script, connects=bool(follows)),
            follows=follows,
            counted=counted,
            size=_SIZES,
        )
    )


def content_policy(style: str, script: str, *, connects: bool) -> str:
    """The content security policy of a page with this style and this script.

    >>> content_policy("", "", connects=False).partition(";")[0]
    "default-src 'none'"
    """
    rules = [
        "default-src 'none'",
        f"script-src 'sha256-{_digest(script)}'",
        f"style-src 'sha256-{_digest(style)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        *(["connect-src 'self'"] if connects else []),
    ]
    return "; ".join(rules)


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return files("ordbench.report.html").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ordbench.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )


def _shown(value: object) -> object:
    """Text without what could steer a terminal or turn the direction of writing."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
