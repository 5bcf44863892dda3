import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ordbench.features.cache import Cached, Fact, key_of, read, write

FACTS: dict[str, Fact] = {"weights": "w", "normalize": False, "libraries": {"timm": "1.0"}}
CACHED = Cached(
    features=torch.arange(6, dtype=torch.float32).view(2, 3),
    rejected={1: "is not there"},
    cosine=0.999,
    transform="Resize(2)",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "features" / "key.safetensors"
    write(path, FACTS, CACHED)
    return path


def test_what_is_written_is_read(file: Path) -> None:
    got = read(file, FACTS, 3)
    assert got is not None
    assert torch.equal(got.features, CACHED.features)
    assert (got.rejected, got.cosine, got.transform) == ({1: "is not there"}, 0.999, "Resize(2)")


def test_no_temporary_file_stays(file: Path) -> None:
    assert [path.name for path in file.parent.iterdir()] == ["key.safetensors"]


def test_features_are_mapped_and_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "big.safetensors"
    many = torch.zeros(1000, 1000)
    write(path, FACTS, Cached(features=many, rejected={}, cosine=None, transform=""))
    got = read(path, FACTS, 1000)
    assert got is not None
    maps = Path("/proc/self/maps")
    if not maps.is_file():
        pytest.skip("this system does not list what a process has mapped")
    starts = [line.split("-")[0] for line in maps.read_text().splitlines() if str(path) in line]
    address = got.features.data_ptr()
    assert any(0 <= address - int(start, 16) < path.stat().st_size for start in starts)


def test_a_file_that_is_not_there_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(tmp_path / "none.safetensors", FACTS, 3) is None
    assert caplog.text == ""


def test_one_flipped_bit_in_any_byte_is_seen(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = file.read_bytes()
    for byte in range(len(whole)):
        content = bytearray(whole)
        content[byte] ^= 1 << byte % 8
        file.write_bytes(content)
        assert read(file, FACTS, 3) is None, f"byte {byte}"
    assert len(caplog.messages) == len(whole)
    file.write_bytes(whole)
    assert read(file, FACTS, 3) is not None


def test_no_byte_of_the_text_can_change_unseen(file: Path) -> None:
    with safe_open(file, framework="pt") as opened:
        text = dict(opened.metadata())
        features = opened.get_tensor("features").clone()
    for name in text:
        changed = text | {name: text[name] + " "}
        save_file({"features": features}, file, metadata=changed)
        assert read(file, FACTS, 3) is None, name
    save_file({"features": features}, file, metadata=text)
    assert read(file, FACTS, 3) is not None, "the test itself keeps a whole file whole"


@pytest.mark.parametrize("length", [0, 7, 8, 100, -1])
def test_a_cut_file_is_seen(file: Path, length: int, caplog: pytest.LogCaptureFixture) -> None:
    file.write_bytes(file.read_bytes()[:length])
    assert read(file, FACTS, 3) is None
    assert "it cannot be read" in caplog.text


def test_features_of_something_else_are_not_taken(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(file, FACTS | {"weights": "v"}, 3) is None
    assert "it holds the features of something else" in caplog.text


def test_a_file_of_another_program_is_not_taken(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for tensors in ({"weight": torch.zeros(2)}, {"features": torch.zeros(2, dtype=torch.bfloat16)}):
        caplog.clear()
        save_file(tensors, file)
        assert read(file, FACTS, 3) is None
        assert "is not used" in caplog.text


def test_rows_must_answer_for_all_images(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read(file, FACTS, 4) is None
    assert "does not answer for 4 images" in caplog.text


def test_the_key_does_not_depend_on_the_order_of_facts() -> None:
    assert key_of(FACTS) == key_of(dict(reversed(FACTS.items())))


def test_two_processes_that_write_at_once_never_leave_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "key.safetensors"
    script = (
        "import sys, torch; from pathlib import Path; "
        "from ordbench.features.cache import Cached, read, write; "
        "path, number = Path(sys.argv[1]), float(sys.argv[2])\n"
        "features = torch.full((500, 200), number)\n"
        "for _ in range(20):\n"
        "    write(path, {}, Cached(features=features, rejected={}, cosine=None, transform=''))\n"
        "    got = read(path, {}, 500)\n"
        "    assert got is not None and got.features.unique().numel() == 1\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, path, str(number)], stderr=subprocess.PIPE, text=True
        )
        for number in (1, 2)
    ]
    faults = [writer.communicate(timeout=120)[1] for writer in writers]
    assert faults == ["", ""]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [name.name for name in tmp_path.iterdir()] == ["key.safetensors"]


def test_the_facts_can_be_read_by_anyone(file: Path) -> None:
    with safe_open(file, framework="pt") as opened:
        assert json.loads(opened.metadata()["facts"]) == FACTS
