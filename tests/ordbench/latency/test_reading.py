import json
from pathlib import Path

import pytest

from ordbench.errors import SpecError, StoreError
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.compare import compare
from ordbench.latency.reading import one_setting, read_latencies
from ordbench.latency.record import to_json
from ordbench.latency.setting import settings


def test_medians_come_back_by_setting_and_head(tmp_path: Path) -> None:
    grid = settings(batch=["1,2"], ranks=["3"], features=["4"], device=["cpu"])
    done = [*compare(grid, HeadBuilder(["coral"]), seconds=0.01)]
    path = tmp_path / "latencies.json"
    path.write_text(to_json(done, threads=1))
    found = read_latencies(path)
    assert [one.setting for one in found] == [str(one.setting) for one in done]
    for read, timed in zip(found, done, strict=True):
        medians = {row.label: row.samples.quantile(0.5) for row in timed.rows}
        assert read.seconds == pytest.approx(medians)
        assert medians.keys() == {"linear", "coral"}
    assert one_setting(found, "N=2,") == found[1]
    with pytest.raises(SpecError, match="--setting '' is part of 2 settings, wanted one of: deplo"):
        one_setting(found)


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"benchmarks": [{}]})])
def test_another_file_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(StoreError, match=r"other\.json is not what `ordbench latency"):
        read_latencies(path)
