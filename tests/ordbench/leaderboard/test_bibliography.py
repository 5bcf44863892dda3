from collections.abc import Callable
from pathlib import Path

import yaml
from bibtexparser.entrypoint import parse_string

from ordbench.leaderboard.bibliography import ORDBENCH, Bibliography, to_bibtex
from ordbench.results.rows import RunRow
from tests.ordbench.conftest import build

FlatRun = Callable[..., RunRow]
CITATION = Path(__file__).parents[3] / "CITATION.cff"


def test_all_that_a_run_was_made_of_is_in_the_file_once(flat_run: FlatRun) -> None:
    runs = [
        flat_run("coral", 1.0, text="clip:RN50/openai", other={"test_dataset": "morph:album=2"}),
        flat_run("or-cnn", 2.0, protocol="kfold:folds=3", dataset="afad", backbone="timm:a"),
    ]
    read = parse_string(to_bibtex(build(runs)))
    assert not read.failed_blocks
    assert {entry.key for entry in read.entries} == {
        ORDBENCH.key,
        *("cao2020rank", "niu2016ordinal"),
        *("panis2016overview", "ricanek2006morph"),
        *("radford2021learning", "ilharco2021openclip", "wightman2019pytorch"),
        *("zhou2022learning", "stone1974cross"),
    }


def test_what_has_no_paper_is_named_in_a_comment(flat_run: FlatRun) -> None:
    text = str(Bibliography(build([flat_run("mine@home", 1.0, dataset="folder")])))
    assert "% no paper: dataset folder: your own images\n" in text
    assert "% no paper: head mine at home: unknown head 'mine at home'" in text
    assert not parse_string(text).failed_blocks


def test_ordbench_is_cited_as_it_asks_for() -> None:
    asked = yaml.safe_load(CITATION.read_text("utf-8"))
    assert [author["name"] for author in asked["authors"]] == [*ORDBENCH.authors]
    assert (asked["title"], str(asked["date-released"])[:4]) == (ORDBENCH.title, ORDBENCH.year)
    assert ORDBENCH.venue == f"Version {asked['version']}"
