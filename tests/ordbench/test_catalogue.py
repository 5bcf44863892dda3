import pytest

from ordbench.catalogue import Kind, entries
from ordbench.registry import BACKBONES, DATASETS, HEADS


@pytest.mark.parametrize(
    ("kind", "names"), [("heads", HEADS), ("datasets", DATASETS), ("backbones", BACKBONES)]
)
def test_every_plugin_has_title_source_and_needs(kind: Kind, names: list[str]) -> None:
    rows = entries(kind)
    assert [row.name for row in rows] == list(names)
    assert all(row.title and row.source and row.needs and not row.broken for row in rows), rows


def test_what_a_head_is_said_to_need_is_what_its_class_needs() -> None:
    said = {row.name: row.needs == "a text tower" for row in entries("heads")}
    assert said == {name: head.needs_text for name, head in HEADS.items()}
