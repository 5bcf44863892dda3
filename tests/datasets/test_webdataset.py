from __future__ import annotations

import io
import json
import pickle
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from ordbench.errors import DatasetError, SpecError
from ordbench_datasets.webdataset import WebDataset

Members = Mapping[str, Any]


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (3, 2), (number % 256, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def shard(path: Path, members: Members) -> Path:
    """A tar archive; what is no bytes is written as JSON, a number as the colour of an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            is_image = name.endswith("png") and isinstance(data, int)
            content = picture(data) if is_image else data
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def shards(folder: Path, count: int = 3, names: str = "s-{:04}.tar") -> Path:
    for number in range(count):
        members: dict[str, Any] = {}
        for n in range(2):
            key = f"{number}{n}"
            members |= {f"{key}.png": 10 * number + n, f"{key}.cls": b"%d\n" % (5 + n)}
        shard(folder / names.format(number), members)
    return folder


def test_images_are_the_bytes_of_the_shards_and_labels_lie_beside_them(tmp_path: Path) -> None:
    shards(tmp_path)
    listing = WebDataset(tmp_path, f"{tmp_path}/s-{{0000..0002}}.tar").read()
    assert [(s.name, s.rank, s.part) for s in listing.samples] == [
        (f"s-000{n}.tar/{n}{m}.png", m, None) for n in range(3) for m in range(2)
    ]
    assert listing.task.rank_values == (5, 6)
    for sample in listing.samples:
        number, column = sample.name[-6:-4]
        assert not isinstance(sample.image, Path)
        assert sample.image is not None
        copied = pickle.loads(pickle.dumps(sample.image))
        assert copied.read() == picture(10 * int(number) + int(column))


@pytest.mark.parametrize("pattern", ["s-{0000..0002}.tar", "s-000{0,1,2}.tar", "s-*.tar", ""])
def test_braces_wildcards_and_a_folder_name_the_same_shards(tmp_path: Path, pattern: str) -> None:
    expected = WebDataset(tmp_path, str(shards(tmp_path))).read()
    got = WebDataset(tmp_path, str(tmp_path / pattern)).read()
    assert got.samples == expected.samples
    assert got.fingerprint == expected.fingerprint
    assert WebDataset(tmp_path, f"{tmp_path}/s-{{0..0}}001.tar").read().samples


def test_a_missing_shard_is_not_passed_over(tmp_path: Path) -> None:
    shards(tmp_path)
    with pytest.raises(DatasetError, match=r"s-0003\.tar is not there"):
        WebDataset(tmp_path, f"{tmp_path}/s-{{0000..0003}}.tar").read()
    with pytest.raises(DatasetError, match=r"t-\*\.tar: there is no tar archive .*; wanted tar"):
        WebDataset(tmp_path, f"{tmp_path}/t-*.tar").read()
    with pytest.raises(SpecError, match="its braces do not match; write"):
        WebDataset(tmp_path, f"{tmp_path}/t-{{0..1.tar").read()


def test_shards_of_test_images_are_the_official_part(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        shards(tmp_path / part, 1, "0.tar")
    patterns = {part: f"{tmp_path}/{part}/0.tar" for part in ("val", "test")}
    listing = WebDataset(tmp_path, f"{tmp_path}/train/*.tar", **patterns).read()
    assert [(s.name, s.part) for s in listing.samples[::2]] == [
        (f"{part}/0.tar/00.png", part) for part in ("train", "val", "test")
    ]
    with pytest.raises(SpecError, match=r"0\.tar is a shard of train and of test; name each"):
        WebDataset(tmp_path, f"{tmp_path}/*/0.tar", test=patterns["test"]).read()
    with pytest.raises(SpecError, match="there are no test images; give test=, too"):
        WebDataset(tmp_path, "x.tar", val="y.tar")


PEOPLE: Members = {
    "a.png": 1,
    "a.json": {"label": 3, "meta": {"age": 20.0, "who": "007"}, "split": "train", "box": [1]},
    "b.png": 2,
    "b.json": {"label": 4, "meta": {"age": 61, "who": 7}, "split": "val", "group": None},
    "c.png": 3,
    "c.json": {"label": 3, "meta": {"age": 33, "who": "x"}, "split": "test"},
}


def test_fields_of_json_are_read_by_their_usual_names_or_as_named(tmp_path: Path) -> None:
    path = str(shard(tmp_path / "x.tar", PEOPLE))
    assert [s[2:6] for s in WebDataset(tmp_path, path).read().samples] == [
        (0, None, None, "train"),
        (1, None, None, "val"),
        (0, None, None, "test"),
    ]
    named = WebDataset(
        tmp_path, path, rank="json.meta.age", group="json.meta.who", part="-", bins="30;60"
    ).read()
    assert [s[2:6] for s in named.samples] == [
        (0, "7", None, None),
        (2, "7", None, None),
        (1, "x", None, None),
    ]
    assert named.notes[-1] == "read rank from json.meta.age, group from json.meta.who"
    with pytest.raises(SpecError, match=r"no sample has 'json\.age' \(rank=json\.age\); they have"):
        WebDataset(tmp_path, path, rank="json.age").read()
    with pytest.raises(DatasetError, match=r"a\.png, json\.label: wanted train, val or test, got"):
        WebDataset(tmp_path, path, part="json.label").read()


def test_what_is_no_whole_sample_is_skipped_and_named(tmp_path: Path) -> None:
    members: dict[str, Any] = {
        "a.png": 1,
        "a.cls": b"1",
        "b.PNG": picture(2),
        "b.cls": b"2",
        "no-label.png": 3,
        "no-image.cls": b"2",
        "text.png": b"a text, no image",
        "text.cls": b"2",
        "../../evil.png": 4,
        "../../evil.cls": b"1",
        "README": b"",
        "._a.png": b"of macOS",
    }
    listing = WebDataset(tmp_path, str(shard(tmp_path / "x.tar", members))).read()
    names = ["x.tar/a.png", "x.tar/b.PNG", "x.tar/evil.png"]
    assert [sample.name for sample in listing.samples] == names
    assert dict(listing.rejected) == {
        "x.tar/no-label.png": "no label (cls)",
        "x.tar/no-image": "no image",
        "x.tar/text.png": "not an image: it starts with b'a text, '",
        "x.tar/README": "no ending after a key",
    }


def test_of_several_images_one_is_named(tmp_path: Path) -> None:
    members = {"a.left.png": 1, "a.right.png": 2, "a.cls": b"1", "b.right.png": 3, "b.cls": b"2"}
    path = str(shard(tmp_path / "x.tar", members))
    with pytest.raises(DatasetError, match=r"a has the images left\.png, right\.png; say which"):
        WebDataset(tmp_path, path).read()
    listing = WebDataset(tmp_path, path, image="right.png").read()
    assert [s.name for s in listing.samples] == ["x.tar/a.right.png", "x.tar/b.right.png"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.png": 1, "a.json": b"{"}, r"x\.tar/a\.json cannot be read: Expecting property name"),
        ({"a.png": 1, "a.json": b"[" * 100_000}, r"x\.tar/a\.json cannot be read: "),
        ({"a.png": 1, "a.cls": b"\xff"}, r"x\.tar/a\.cls cannot be read: 'utf-8' codec"),
        ({"a.png": 1, "a.cls": b"none"}, r"a\.png, cls: wanted a rank, got 'none'; add it to ra"),
        ({"a.png": 1}, r"none of its 1 samples can be used, first 'x\.tar/a\.png' \(no label"),
        ({}, r"none of its 0 samples can be used; wanted tar archives"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(
    tmp_path: Path, members: Members, message: str
) -> None:
    path = str(shard(tmp_path / "x.tar", members))
    with pytest.raises(DatasetError, match=message) as caught:
        WebDataset(tmp_path, path).read()
    assert "\n" not in str(caught.value)


def test_a_run_on_shards(tmp_path: Path, cli: Callable[..., Any]) -> None:
    members: dict[str, Any] = {}
    for n in range(40):
        members |= {f"{n:03}.png": 6 * n, f"{n:03}.cls": b"%d" % (n % 2)}
    shard(tmp_path / "s-0.tar", dict(list(members.items())[:40]))
    shard(tmp_path / "s-1.tar", dict(list(members.items())[40:]))
    command = ("run", "--head", "linear", "--shots", "4", "--json", "--recipe", "epochs=1")
    done = cli(*command, "--dataset", "webdataset:s-{0..1}.tar", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["spec"]["dataset_argument"] == "s-{0..1}.tar"
