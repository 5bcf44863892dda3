"""The sources of cards as references: what is installed, and what strangers may write."""

from dataclasses import replace

import pytest
from bibtexparser.entrypoint import parse_string

from ordbench.plugins.catalog import Kind, entries
from ordbench.plugins.citation import Reference, references

KINDS: tuple[Kind, ...] = ("heads", "datasets", "backbones", "protocols")
WITHOUT_A_PAPER = {
    *("csv", "features", "folder", "webdataset", "hf"),
    *("drawn-faces", "drawn-fruit", "none"),
}


@pytest.fixture(scope="module")
def papers() -> list[tuple[str, list[Reference]]]:
    """The papers of everything that ordbench brings, by name."""
    return [(one.name, references(one.source, one.name)) for kind in KINDS for one in entries(kind)]


def test_every_card_names_a_paper_or_is_known_to_have_none(
    papers: list[tuple[str, list[Reference]]],
) -> None:
    assert {name for name, found in papers if not found} == WITHOUT_A_PAPER


def test_every_paper_is_a_valid_entry_and_has_one_text_and_one_key(
    papers: list[tuple[str, list[Reference]]],
) -> None:
    named = {paper.key: paper for _, found in papers for paper in found}
    for _, found in papers:
        for paper in found:
            assert named[paper.key] == paper, "two cards write one paper in two ways"
    read = parse_string("\n".join(paper.bibtex for paper in named.values()))
    assert not read.failed_blocks
    assert [entry.key for entry in read.entries] == list(named)
    for entry in read.entries:
        fields = {name: field.value for name, field in entry.fields_dict.items()}
        assert {"author", "title", "year"} <= fields.keys()
        required = {"article": "journal", "inproceedings": "booktitle", "misc": "title"}
        assert fields[required[entry.entry_type]]
        assert all(text and text.count("{") == text.count("}") for text in fields.values())


def test_every_part_of_a_reference_is_a_field() -> None:
    source = (
        "the baseline: Van Gool and Ng et al. (2016). A study of CLIP & faces. "
        "IET Biometrics 5(2), 37-46. https://doi.org/10.1049/a_b, section 3"
    )
    (paper,) = references(source)
    assert paper.bibtex == (
        "@article{gool2016study,\n"
        "  author = {{Van Gool} and Ng and others},\n"
        "  title = {A study of {CLIP} \\& faces},\n"
        "  journal = {IET Biometrics},\n"
        "  volume = {5},\n"
        "  number = {2},\n"
        "  pages = {37--46},\n"
        "  year = {2016},\n"
        "  doi = {10.1049/a_b},\n"
        "  url = {https://doi.org/10.1049/a_b},\n"
        "}"
    )


@pytest.mark.parametrize(
    ("venue", "kind", "field"),
    [
        ("CVPR workshops 2016", "inproceedings", "booktitle = {CVPR workshops 2016}"),
        ("ECCV workshops", "inproceedings", "booktitle = {ECCV workshops}"),
        ("JMLR 18", "article", "volume = {18}"),
        ("Kaggle", "misc", "howpublished = {Kaggle}"),
        ("", "misc", "year = {2020}"),
    ],
)
def test_the_venue_tells_the_kind_of_entry(venue: str, kind: str, field: str) -> None:
    paper = replace(Reference(("Gutiérrez",), "2020", "On age"), venue=venue)
    assert paper.bibtex.startswith(f"@{kind}{{gutierrez2020age,")
    assert field in paper.bibtex


def test_a_plugin_has_the_papers_that_name_it_or_else_all() -> None:
    source = "co2, ho2: A (2021). One. https://x.org/1; qul: B (2022). Two; see also the code"
    keys = {name: [paper.key for paper in references(source, name)] for name in ("ho2", "qul", "")}
    assert keys == {"ho2": ["a2021one"], "qul": ["b2022two"], "": ["a2021one", "b2022two"]}


def test_what_is_no_reference_is_refused_where_it_names_a_year() -> None:
    assert references("an example") == []
    with pytest.raises(ValueError, match=r"'Li \(2020\), https://x.org' is no reference; wanted"):
        references("Li (2020), https://x.org")
