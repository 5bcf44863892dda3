"""Wrong inputs, as users type them: one line that says what to do, exit code 2, nothing written."""

import io
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.conftest import cli_environment

Cli = Callable[..., subprocess.CompletedProcess[str]]
FACES = ("--dataset", "drawn-faces")


def refused(ran: subprocess.CompletedProcess[str], *wanted: str) -> None:
    """One line, exit code 2, no traceback, and each of ``wanted`` in it."""
    assert ran.returncode == 2, ran.stdout + ran.stderr
    lines = ran.stderr.strip().splitlines()
    assert len(lines) == 1, ran.stderr
    assert lines[0].startswith("ordbench: ")
    assert "Traceback" not in ran.stderr
    for words in wanted:
        assert re.search(words, lines[0]), lines[0]


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("--head", "corall", *FACES), "unknown head 'corall'; did you mean coral"),
    (("--head", "coral", "--dataset", "utk"), "unknown dataset 'utk'; did you mean utkface"),
    (
        ("--head", "coral", *FACES, "--backbone", "clop:x"),
        "backbone 'clop'; did you mean clip",
    ),
    (("--head", "coral", *FACES, "--backbone", "clip:ViT-B32/openai"), "ViT-B-32"),
    (("--head", "coral", *FACES, "--backbone", "timm:resnet51"), "did you mean .*resnet50"),
    (("--head", "coral:shots=3", *FACES), "head 'coral' has no option 'shots'"),
    (("--head", "ordinalclip:base_rank=3", *FACES), "no option 'base_rank'.*base_ranks"),
    (
        ("--head", "ordinalclip:base_ranks=many", *FACES),
        "base_ranks='many': wanted a whole number",
    ),
    (("--head", "ordinalclip:interpolation=cubic", *FACES), "'linear', 'inverse'"),
    (("--head", "ordinalclip:base_ranks=0", *FACES), "base_ranks=0.*at least 1"),
    (("--head", "coral:oops", *FACES), "'oops' is not KEY=VALUE"),
    (("--head", "", *FACES), "--head"),
    (("--head", "coral", *FACES, "--dry-run", "--engine", "dask"), "wanted local or ray"),
    (("--head", "coral", "--dataset", "drawn-faces:per_row=3"), "no option 'per_row'"),
    (("--head", "coral", *FACES, "--shots", "0"), "--shots 0: wanted"),
    (("--head", "coral", *FACES, "--shots", "few"), "--shots few: wanted"),
    (
        ("--head", "coral", *FACES, "--shots", "1000"),
        "for 1000 shots: no rank of .* more than 24 training",
    ),
    (("--head", "coral", *FACES, "--seeds", "4-2"), "--seeds 4-2: wanted"),
    (("--head", "coral", *FACES, "--fold", "99"), "has no fold 99; available: 0, 1"),
    (
        ("--head", "coral", *FACES, "--layer", "middle"),
        "'--layer': 'middle' is not one of 'post', 'pre'",
    ),
    (("--head", "coral", *FACES, "--jobs", "0"), "'--jobs' / '-j': wanted at least 1"),
    (("--head", "coral", *FACES, "--limit", "x"), "'--limit': wanted a whole number"),
    (
        ("--head", "coral", *FACES, "--dtype", "int8"),
        "'int8' is not one of 'auto', 'float32', 'bfloat16', 'float16'",
    ),
    (("--head", "coral", *FACES, "--protocol", "mine"), "unknown protocol 'mine'.*standard"),
    (
        ("--head", "coral", *FACES, "--device", "tpu"),
        "--device tpu: wanted auto, cpu, cuda or cuda:N",
    ),
    (("--head", "coral", *FACES, "--recipe", "speed=3"), "speed.*learning_rate"),
    (
        ("--head", "coral", *FACES, "--recipe", "learning_rate=-1"),
        "learning_rate=-1: wanted more than 0",
    ),
    (
        ("--head", "coral", *FACES, "--recipe", "epochs=1", "--recipe", "epochs=2"),
        "epochs is given twice; run once for each value",
    ),
    (("--head", "coral", *FACES, "--tune", "0"), "--tune 0: wanted at least 1"),
    (("--head", "coral", *FACES, "--sampler", "grid"), "--sampler grid: add --tune"),
    (
        ("--head", "coral", *FACES, "--tune", "2", "--sampler", "best"),
        "'best' is not one of 'random', 'grid', 'optuna'",
    ),
    (
        ("--head", "coral", *FACES, "--split", "no.json"),
        r"no\.json cannot be read: .*No such file",
    ),
    (
        ("--head", "coop", *FACES, "--text", "timm:resnet18"),
        "timm:resnet18 has no text encoder",
    ),
    (("--dataset", "drawn-faces"), "Missing option '--head'"),
    (("--head", "coral", "--dataset", "morph"), "MORPH.*licence|licen[cs]e"),
    (("--head", "coral", "--dataset", "utkface"), "UTKFace"),
    (
        ("--head", "coral:hidden=64;0", *FACES),
        "head coral: hidden=0: wanted widths of at least",
    ),
    (("--head", "coral", *FACES, "--backbone", "clip"), "names no model; write clip:MODEL/TAG"),
    (
        ("--head", "coral", "--dataset", "folder"),
        "needs a path; write folder:PATH",
    ),
    (("--head", "coral", "--dataset", "folder:nowhere"), "nowhere"),
    (("--head", "coral", "--dataset", "csv:nowhere.csv"), r"nowhere\.csv"),
]
# Libraries take seconds to import, so that all lines are run by one process.
RUN_ALL = """
import contextlib, io, json, os, sys, traceback
from ordbench.cli.main import main
ran = []
for number, arguments in enumerate(json.load(sys.stdin)):
    os.mkdir(str(number))
    os.chdir(str(number))
    sys.argv = ["ordbench", "run", *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        with contextlib.redirect_stderr(io.StringIO()) as err:
            try:
                code = main()
            except BaseException:
                code = traceback.print_exc() or 1
    ran.append((code, out.getvalue(), err.getvalue(), os.listdir()))
    os.chdir("..")
json.dump(ran, sys.stdout)
"""


@pytest.fixture(scope="module")
def wrong_runs(
    tmp_path_factory: pytest.TempPathFactory, shared_cache: Path
) -> list[tuple[int, str, str, list[str]]]:
    """Exit code, output, errors and written files of each wrong command line."""
    folder = tmp_path_factory.mktemp("wrong")
    got = subprocess.run(
        [sys.executable, "-P", "-c", RUN_ALL],
        input=json.dumps([arguments for arguments, _ in WRONG]),
        cwd=folder,
        env=cli_environment(shared_cache, folder / "data"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert got.returncode == 0, got.stderr
    ran: list[tuple[int, str, str, list[str]]] = json.loads(got.stdout)
    return ran


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        pytest.param(number, wanted, id=" ".join(arguments))
        for number, (arguments, wanted) in enumerate(WRONG)
    ],
)
def test_a_wrong_command_line_ends_in_one_line(
    wrong_runs: list[tuple[int, str, str, list[str]]], number: int, wanted: str
) -> None:
    code, out, err, written = wrong_runs[number]
    refused(subprocess.CompletedProcess((), code, out, err), wanted)
    assert written == []


def test_a_wrong_plan_ends_in_one_line_that_names_its_own(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("head: coral\ndataset: drawn-faces\nshots: [1, x]\n")
    refused(cli("run", "plan.yaml"), r"plan plan\.yaml, line 3: shots x: wanted 'all' or a whole")


def photo(path: Path, *, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (48, 48, 3), generator=noise, dtype=torch.uint8).numpy()
    Image.fromarray(pixels).save(path)


def ranks_folder(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        for i in range(12):
            photo(folder / name / f"{i}.jpg", seed=100 * number + i)
    return folder


def run_folder(cli: Cli, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return cli("run", "--head", "coral", "--dataset", f"folder:{folder}{''.join(more)}")


def test_an_empty_folder_says_what_was_looked_for(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    refused(run_folder(cli, tmp_path / "photos"), "photos")


def test_one_rank_only_is_no_regression(cli: Cli, tmp_path: Path) -> None:
    refused(run_folder(cli, ranks_folder(tmp_path / "photos", "7")), "at least 2 ranks")


def test_rank_words_without_an_order_are_never_sorted(cli: Cli, tmp_path: Path) -> None:
    folder = ranks_folder(tmp_path / "photos", "mild", "severe", "none")
    refused(run_folder(cli, folder), "ranks=", "mild")


def test_a_text_file_named_jpg_is_named_and_left_out(cli: Cli, tmp_path: Path) -> None:
    folder = ranks_folder(tmp_path / "photos", "1", "2")
    (folder / "1" / "notes.jpg").write_text("not an image")
    ran = run_folder(cli, folder)
    assert ran.returncode == 0, ran.stderr
    assert "1 file left out: 1/notes.jpg" in ran.stdout


def test_a_truncated_jpeg_is_named_and_left_out(cli: Cli, tmp_path: Path) -> None:
    folder = ranks_folder(tmp_path / "photos", "1", "2")
    broken = folder / "2" / "3.jpg"
    broken.write_bytes(broken.read_bytes()[:400])
    ran = run_folder(cli, folder)
    assert ran.returncode == 0, ran.stderr
    assert "1 file left out: 2/3.jpg" in ran.stdout


def test_only_unreadable_images_end_in_one_line(cli: Cli, tmp_path: Path) -> None:
    for rank in ("1", "2"):
        for i in range(8):
            file = tmp_path / "photos" / rank / f"{i}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("not an image")
    refused(run_folder(cli, tmp_path / "photos"), "photos holds no image .*16 other files")


def test_a_nan_in_a_csv_names_its_line(cli: Cli, tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    (tmp_path / "labels.csv").write_text("file,rank\na.jpg,1\na.jpg,nan\n")
    refused(cli("run", "--head", "coral", "--dataset", "csv:labels.csv"), "labels.csv", "line 3")


def test_weights_of_another_model_name_the_keys(cli: Cli, tmp_path: Path) -> None:
    save_file({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    backbone = f"timm:resnet18@{tmp_path / 'other.safetensors'}"
    refused(cli("run", "--head", "coral", *FACES, "--backbone", backbone), "other.safetensors")


def test_a_pickle_is_never_loaded(cli: Cli, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return os.mkdir, (str(tmp_path / "owned"),)

    torch.save({"weight": Evil()}, tmp_path / "evil.pt")
    backbone = f"timm:resnet18@{tmp_path / 'evil.pt'}"
    refused(cli("run", "--head", "coral", *FACES, "--backbone", backbone), "evil.pt")
    assert not (tmp_path / "owned").exists()


def test_results_that_cannot_be_written_end_in_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file stands where the folder should be")
    ran = cli("run", "--head", "zeroshot", *FACES, "--shots", "1")
    refused(ran, "results")


def test_a_prompt_head_without_a_text_tower_is_told_of_text(cli: Cli, tmp_path: Path) -> None:
    ran = cli("run", "--head", "ordinalclip", *FACES, "--backbone", "timm:resnet18@x.safetensors")
    refused(ran, "resnet18@x.safetensors has none; add --text clip:RN50/openai")


def test_a_table_of_nothing_says_how_to_make_one(cli: Cli) -> None:
    refused(cli("table"), "ordbench run")


def test_an_unknown_metric_names_the_near_ones(cli: Cli) -> None:
    cli("run", "--head", "zeroshot", *FACES, "--shots", "1")
    refused(cli("table", "--metric", "mea"), "mae")


def test_a_decompression_bomb_is_left_out_by_name(cli: Cli, tmp_path: Path) -> None:
    folder = ranks_folder(tmp_path / "photos", "1", "2")
    buffer = io.BytesIO()
    Image.new("1", (8, 8)).save(buffer, "png")
    bomb = bytearray(buffer.getvalue())
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    (folder / "1" / "bomb.png").write_bytes(bytes(bomb))
    ran = run_folder(cli, folder)
    assert ran.returncode == 0, ran.stderr
    assert "1/bomb.png" in ran.stdout
