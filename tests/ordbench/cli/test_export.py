import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.cli.main import main
from ordbench.export.program import open_session
from ordbench.results.store import Store

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ran(
    trained: Path,
    shared_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ran:
    """`ordbench export ARGUMENTS` in an empty folder: exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        typed = ["export", "--results", str(trained), "--cache", str(shared_cache)]
        monkeypatch.setattr(sys, "argv", ["ordbench", *typed, *map(str, arguments)])
        code = main()
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def run_id(trained: Path, head: str) -> str:
    return next(one.run_id for one in Store(trained).records() if one.spec.head == head)


def test_files_are_named_with_their_size_and_difference(
    ran: Ran, trained: Path, tmp_path: Path
) -> None:
    run = run_id(trained, "coop")
    code, out, err = ran("--run", run[:8], "--format", "onnx,safetensors")
    assert (code, err) == (0, "")
    heading, onnx, safetensors, readme, compared = out.splitlines()
    assert heading.startswith(f"run {run}: coop on drawn-faces:per_rank=5")
    assert compared == "compared with PyTorch on 64 samples of drawn-faces"
    folder = Path("exported", run)
    for line, name in ((onnx, "head.onnx"), (safetensors, "head.safetensors")):
        size = (tmp_path / folder / name).stat().st_size
        assert line.startswith(f"{folder / name}: {size:,} bytes, differs by ")
        assert float(line.split()[-3]) < 1e-5
    assert readme == str(folder / "README.md")
    features, ranks = 128, 90  # 90 prototypes and no text encoder, which alone has 3 MB
    assert (tmp_path / folder / "head.onnx").stat().st_size < 4 * features * ranks + 20_000


def test_the_image_tower_comes_with_it_where_that_is_asked_for(
    ran: Ran, trained: Path, tmp_path: Path
) -> None:
    run = run_id(trained, "linear")
    code, _, err = ran("--run", run, "--format", "onnx", "--with-backbone", "-o", "a [b]")
    assert (code, err) == (0, "")
    session = open_session((tmp_path / "a [b]" / "model.onnx").read_bytes())
    assert session.get_inputs()[0].name == "images"
    assert session.get_outputs()[0].shape[1] == 90


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run", "zz"], "'zz' is not a run id"),
        (["--run", "LINEAR", "--format", "tflite"], "unknown format 'tflite'; "),
        (["--run", "LINEAR", "--with-backbone", "-b", "clip:nothing"], "nothing"),
        (["--run", "TREE", "--format", "onnx"], "it cannot be exported: "),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line_and_nothing_is_written(
    arguments: list[str], said: str, ran: Ran, trained: Path, tmp_path: Path
) -> None:
    known = {"LINEAR": run_id(trained, "linear"), "TREE": run_id(trained, "sklearn")}
    code, out, err = ran(*(known.get(one, one) for one in arguments))
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
