"""Latencies read back from the JSON that `ordbench latency --json` printed."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from ordbench.errors import SpecError, StoreError
from ordbench.utils.files import cannot_read, read_regular


class Timed(NamedTuple):
    """Heads that took turns in one setting.

    Attributes:
        setting: The setting in words: stage, runtime, N, K, D, precision, device.
        seconds: Median time of a call, by head.
    """

    setting: str
    seconds: dict[str, float]


def read_latencies(path: Path) -> list[Timed]:
    """All settings of a file, in its order.

    Raises:
        StoreError: If it cannot be read, or is not such a file.
    """
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    try:
        for benchmark in json.loads(read_regular(path))["benchmarks"]:
            seconds = float(benchmark["extra_info"]["p50"])
            found[benchmark["group"]][benchmark["params"]["head"]] = seconds
    except OSError as error:
        raise cannot_read(path, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is not what `ordbench latency --json` prints: {error!r}; write it anew"
        ) from error
    return [Timed(setting, seconds) for setting, seconds in found.items()]


def one_setting(timed: list[Timed], wanted: str = "") -> Timed:
    """The one setting whose words hold what is wanted, such as ``N=32,``.

    Raises:
        SpecError: If there is none, or several.
    """
    found = [one for one in timed if wanted in one.setting]
    if len(found) != 1:
        raise SpecError(
            f"--setting {wanted!r} is part of {len(found)} settings, wanted one of: "
            f"{'; '.join(one.setting for one in timed)}"
        )
    return found[0]
