"""The page of the command line, as Typer itself writes it."""

from __future__ import annotations

import re
import subprocess
import sys

from prose import prose

INTRODUCTION = """# Command line

Look up a command and its options here. `ordbench COMMAND -h` prints the same.
"""


def page() -> str:
    """All commands with their options."""
    command = [sys.executable, "-m", "typer", "ordbench.cli.main", "utils", "docs"]
    printed = subprocess.run(
        [*command, "--name", "ordbench", "--title", "ordbench"],
        check=True,
        capture_output=True,
        text=True,
    )
    _, _, body = printed.stdout.partition("\n")
    # The table of contents lists the commands, and does not cut off what they do.
    body = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+", "", body)
    parts = re.split(r"(^```.*?^```$)", body, flags=re.DOTALL | re.MULTILINE)
    plain = "".join(part if place % 2 else _items(part) for place, part in enumerate(parts))
    return f"{INTRODUCTION}\n{plain}"


def _items(text: str) -> str:
    """Help texts as plain text; their list and their headings stay Markdown."""
    return re.sub(
        r"(?<=`: ).*|^(?![#*]).+", lambda found: prose(found[0]), text, flags=re.MULTILINE
    )
