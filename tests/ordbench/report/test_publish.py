from pathlib import Path

import pytest

from ordbench.errors import StoreError, UnknownPluginError
from ordbench.report.publish import (
    PageSettings,
    publish,
    read_settings,
    render_embedded,
    render_page,
)
from ordbench.results.archive import read_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.verify import Verification
from ordbench.runs.record import Record, TaskFacts
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import run_id
from tests.ordbench.conftest import done

SETTINGS = PageSettings(
    title="Two heads",
    commands=("ordbench run --head linear,coral", "ordbench results publish > /dev/null"),
    views=(("mae", "median"), ("accuracy", "argmax")),
)


def record(head: str, seed: int, **changes: object) -> Record:
    spec = RunSpec(
        head=head,
        dataset="folder",
        dataset_argument="/home/me/faces/",
        dataset_options={"index": "/home/me/index.csv"},
        backbone="timm:resnet50@/home/me/resnet50.pt",
        data_seed=seed,
    )
    fields: dict[str, object] = {
        "run_id": run_id({"head": head, "seed": seed}),
        "label": head,
        "spec": spec,
        "task": TaskFacts(title="Faces", num_ranks=2, unit="years"),
        "metrics": {"median": {"mae": len(head) + seed}, "argmax": {"accuracy": 0.5}},
        "baseline": {"mae": 9.0},
        "versions": {"ordbench": "0.1.0", "torch": f"2.{seed}.0"},
        "machine": {"processor": "Imagined CPU", "cores": "2"},
        "seconds": {"fit": 1.25},
        "created": "2026-11-22T00:00:00+00:00",
    }
    return done(seed, **(fields | changes))


FEW = "; shots all: selected on 4 validation images, so partly by chance"
RECORDS = [record(head, seed) for head in ("linear", "coral") for seed in (0, 1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish(RECORDS, tmp_path / "demo", SETTINGS)
    return tmp_path / "demo"


def test_the_page_shows_where_its_numbers_come_from_and_then_the_numbers(folder: Path) -> None:
    text = (folder / "README.md").read_text("utf-8")
    assert text.split("\n", 1)[1] == (
        "# Two heads\n\n"
        "Made from [records.jsonl.gz](records.jsonl.gz) by `ordbench results publish`; "
        "do not edit.\n\n"
        "```console\n"
        "$ ordbench run --head linear,coral\n"
        "$ ordbench results publish > /dev/null\n"
        "```\n\n"
        "4 runs, 5 s of training. Versions: ordbench 0.1.0, torch 2.0.0 and 2.1.0. "
        "Machine: cores 2, processor Imagined CPU.\n\n"
        "## MAE\n\n"
        r"MAE \[years\], lower is better; decoded by median; mean ± standard deviation over 2 "
        "seeds; dataset Faces (folder:faces); backbone timm:resnet50; layer post; dtype float32; "
        "protocol standard; fold 0\n\n"
        "| head | all |\n"
        "| :-- | --: |\n"
        "| `coral` | **5.50 ± 0.71** |\n"
        "| `linear` | <ins>6.50 ± 0.71</ins> |\n"
        "| *train median* | 9.00 ± 0.00 |\n\n"
        f"best bold, second best underlined{FEW}\n\n"
        "## accuracy\n\n"
        r"accuracy \[share of images\], higher is better; decoded by argmax; mean ± standard "
        "deviation over 2 seeds; dataset Faces (folder:faces); backbone timm:resnet50; layer post; "
        "dtype float32; protocol standard; fold 0\n\n"
        "| head | all |\n"
        "| :-- | --: |\n"
        "| `coral` | **0.500 ± 0.000** |\n"
        "| `linear` | **0.500 ± 0.000** |\n\n"
        f"best bold, second best underlined{FEW}\n"
    )


def test_no_path_of_a_machine_is_published(folder: Path) -> None:
    published = [*read_archive(folder / ARCHIVE)]
    assert {record.spec.dataset_argument for record in published} == {"faces"}
    assert {record.spec.backbone for record in published} == {"timm:resnet50@resnet50.pt"}
    assert "/home" not in "".join(record.model_dump_json() for record in published)


def test_no_folder_is_published_wherever_its_path_begins(tmp_path: Path) -> None:
    spec = RunSpec(
        head="linear",
        dataset="csv",
        dataset_argument="private/p7/ages.csv",
        dataset_options={"ranks": "and/or"},
        backbone="clip:X@w/me/a.pt",
        text=r"clip:Y@w\me\b.pt",
    )
    publish([record("linear", 0, spec=spec), record("linear", 1)], tmp_path, SETTINGS)
    published = {one.spec.dataset: one.spec for one in read_archive(tmp_path / ARCHIVE)}
    changes = {"dataset_argument": "ages.csv", "backbone": "clip:X@a.pt", "text": "clip:Y@b.pt"}
    assert published["csv"] == spec.model_copy(update=changes)
    assert [*Verification(tmp_path).findings()] == []


def test_runs_that_failed_are_not_published(tmp_path: Path) -> None:
    failed = record("coop", 0, status="failed", error="no room in /home/me")
    publish([*RECORDS, failed], tmp_path, SETTINGS)
    assert {record.label for record in read_archive(tmp_path / ARCHIVE)} == {"linear", "coral"}


def test_the_same_records_give_the_same_files(folder: Path, tmp_path: Path) -> None:
    publish(RECORDS[::-1], tmp_path / "again", SETTINGS)
    for name in ("README.md", ARCHIVE):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_page_holds_the_settings_that_it_was_made_with(folder: Path) -> None:
    text = (folder / "README.md").read_text("utf-8")
    published = [*read_archive(folder / ARCHIVE)]
    assert read_settings(text) == SETTINGS
    assert render_page(published, SETTINGS) == text
    assert render_page([*published, record("coop", 0)], SETTINGS) != text
    with pytest.raises(ValueError, match="Invalid JSON"):
        read_settings("# Mine")


def test_a_title_cannot_end_the_comment_it_stands_in(tmp_path: Path) -> None:
    settings = PageSettings(title="a --> *b*", views=(("mae", "median"),))
    publish(RECORDS, tmp_path, settings)
    assert read_settings((tmp_path / "README.md").read_text("utf-8")) == settings
    first, second, *_ = (tmp_path / "README.md").read_text("utf-8").splitlines()
    assert first.count("-->") == 1
    assert second == r"# a --\> \*b\*"


def test_nothing_is_written_if_there_is_nothing_to_show(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there are no runs to show"):
        publish([], tmp_path / "demo", SETTINGS)
    with pytest.raises(UnknownPluginError, match="unknown metric 'maee'"):
        publish(RECORDS, tmp_path / "demo", PageSettings(title="x", views=(("maee", "median"),)))
    assert not (tmp_path / "demo").exists()


def test_a_leaderboard_is_put_between_the_marks_of_a_document(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("before\n<!-- demo: see below -->\nold\n<!-- /demo -->\nafter\n")
    publish(RECORDS, tmp_path / "demo", SETTINGS, document=document)
    text = document.read_text("utf-8")
    assert text.startswith("before\n<!-- demo: see below -->\nMAE ")
    assert text.endswith(f"best bold, second best underlined{FEW}\n<!-- /demo -->\nafter\n")
    assert text.count("| `coral` |") == 1
    assert render_embedded(document, "demo", RECORDS, SETTINGS) == text


@pytest.mark.parametrize(
    "text",
    ["none", "<!-- demo -->\n", "<!-- demo -->\n<!-- /demo -->\n<!-- demo -->\n<!-- /demo -->\n"],
    ids=["no marks", "no end", "twice"],
)
def test_marks_that_are_not_there_once_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(
        StoreError, match=r"has [02] pairs of lines <!-- demo --> and <!-- /demo -->; wanted one"
    ):
        render_embedded(tmp_path / "README.md", "demo", RECORDS, SETTINGS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"caf\xe9", r"is not text in UTF-8; save it so"),
        (b"none", "has 0 pairs of lines <!-- demo"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, content: bytes, words: str
) -> None:
    document = tmp_path / "README.md"
    document.write_bytes(content)
    with pytest.raises(StoreError, match=rf"README\.md {words}") as caught:
        publish(RECORDS, tmp_path / "demo", SETTINGS, document=document)
    assert "\n" not in str(caught.value)
    assert [*tmp_path.iterdir()] == [document]
