"""Cards of heads, as strangers may write them."""

import sys
from pathlib import Path

import pytest

from ordbench.plugins.head_card import HeadCard, head_card


@pytest.mark.parametrize(
    ("of_module", "of_class", "card"),
    [
        (
            "Half: a head.\n\nSource: an\nexample.\n\nParity: agrees with nothing.",
            "Another title.",
            HeadCard(title="Half: a head", source="an example", parity="agrees with nothing"),
        ),
        ("", "Half.\n\nNeeds: luck.", HeadCard(title="Half", needs="luck")),
        ("", "", HeadCard(title="")),
    ],
    ids=["module", "class", "neither"],
)
def test_a_card_is_read_from_the_docstring_of_the_module_or_else_of_the_class(
    of_module: str,
    of_class: str,
    card: HeadCard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "ordbench_half.py").write_text(
        f'"""{of_module}"""\n\nfrom ordbench import Head\n\n\n'
        f'class Half(Head):\n    """{of_class}"""\n'
        "    def forward(self, features): ...\n    def loss(self, outputs, ranks): ...\n"
        "    def posterior(self, outputs): ...\n"
    )
    metadata = tmp_path / "ordbench_half-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ordbench-half\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[ordbench.heads]\nhalf = ordbench_half:Half\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ordbench_half", raising=False)
    assert head_card("half") == card
