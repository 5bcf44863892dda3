import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ordbench.features.cache import Fact, FeatureCache, Shard, gather, key_of, known

FACTS: dict[str, Fact] = {"weights": "w", "normalize": False, "libraries": {"timm": "1.0"}}
SHARD = Shard(
    contents=["a", "b"],
    features=torch.arange(6, dtype=torch.float32).view(2, 3),
    pixels=["p", "q"],
    rejected={"c": "cannot be decoded"},
    cosine=0.999,
    transform="Resize(2)",
)


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    cache = FeatureCache(tmp_path, FACTS)
    cache.add(SHARD)
    return cache


def file_of(cache: FeatureCache) -> Path:
    (file,) = cache.folder.iterdir()
    return file


def test_what_is_written_is_read(cache: FeatureCache) -> None:
    (got,) = cache.load()
    assert torch.equal(got.features, SHARD.features)
    assert (got.contents, got.pixels, got.rejected) == (["a", "b"], ["p", "q"], SHARD.rejected)
    assert (got.cosine, got.transform) == (0.999, "Resize(2)")
    assert known([got]) == {"a", "b", "c"}


def test_a_space_that_is_not_there_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert FeatureCache(tmp_path, FACTS | {"weights": "v"}).load() == []
    assert caplog.text == ""


def test_one_flipped_bit_in_any_byte_is_seen(
    cache: FeatureCache, caplog: pytest.LogCaptureFixture
) -> None:
    file = file_of(cache)
    whole = file.read_bytes()
    for byte in range(len(whole)):
        content = bytearray(whole)
        content[byte] ^= 1 << byte % 8
        file.write_bytes(content)
        assert cache.load() == [], f"byte {byte}"
    assert len(caplog.messages) == len(whole)
    file.write_bytes(whole)
    assert len(cache.load()) == 1


def test_no_byte_of_the_text_can_change_unseen(cache: FeatureCache) -> None:
    file = file_of(cache)
    with safe_open(file, framework="pt") as opened:
        text = dict(opened.metadata())
        features = opened.get_tensor("features").clone()
    for name in text:
        save_file({"features": features}, file, metadata=text | {name: text[name] + " "})
        assert cache.load() == [], name
    save_file({"features": features}, file, metadata=text)
    assert len(cache.load()) == 1, "the test itself keeps a whole file whole"


@pytest.mark.parametrize("length", [0, 7, 8, 100, -1])
def test_a_cut_file_is_seen(
    cache: FeatureCache, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = file_of(cache)
    file.write_bytes(file.read_bytes()[:length])
    assert cache.load() == []
    assert "it cannot be read" in caplog.text


def test_a_file_of_another_program_is_not_taken(
    cache: FeatureCache, caplog: pytest.LogCaptureFixture
) -> None:
    for tensors in ({"weight": torch.zeros(2)}, {"features": torch.zeros(2, dtype=torch.bfloat16)}):
        caplog.clear()
        save_file(tensors, file_of(cache))
        assert cache.load() == []
        assert "cannot be used and is made again" in caplog.text


def test_small_shards_become_one_and_large_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordbench.features.cache.MERGED_ROWS", 3)
    cache = FeatureCache(tmp_path, FACTS)
    generator = torch.Generator().manual_seed(0)
    contents = [["a", "b", "c"], ["d"], ["e", "d"]]
    features = {name: torch.randn(4, generator=generator) for name in "abcde"}
    for names in contents:
        rows = torch.stack([features[name] for name in names])
        shard = Shard(
            contents=names,
            features=rows,
            pixels=[f"pixels of {name}" for name in names],
            rejected={},
            cosine=None,
            transform="",
        )
        cache.add(shard)
    cache.merge()
    shards = cache.load()
    assert sorted(len(shard.contents) for shard in shards) == [2, 3]
    order = ["e", "a", "d", "c", "a"]
    wanted = torch.stack([features[name] for name in order])
    assert torch.equal(gather(shards, order), wanted)
    for shard in shards:
        assert list(shard.pixels) == [f"pixels of {name}" for name in shard.contents]


def test_rows_of_one_whole_shard_are_mapped_and_not_copied(cache: FeatureCache) -> None:
    shards = cache.load()
    assert gather(shards, ["a", "b"]).data_ptr() == shards[0].features.data_ptr()


def test_the_lock_keeps_others_out(cache: FeatureCache, caplog: pytest.LogCaptureFixture) -> None:
    with cache.lock():
        assert (cache.folder / ".lock").exists()
    with cache.lock():  # it was given back
        assert caplog.text == ""


def test_the_key_does_not_depend_on_the_order_of_facts() -> None:
    assert key_of(FACTS) == key_of(dict(reversed(FACTS.items())))


def test_the_facts_can_be_read_by_anyone(cache: FeatureCache) -> None:
    with safe_open(file_of(cache), framework="pt") as opened:
        assert json.loads(opened.metadata()["facts"]) == FACTS
