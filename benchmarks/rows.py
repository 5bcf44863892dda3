"""One dataset of given features, step by step: what each leaves, its CPU time and the peak memory.

Run by `benchmarks/test_scaling.py`, in a process of its own for each number of rows, as the most
memory that a process ever held can only rise: python benchmarks/rows.py TABLE.npz
It reads the name of a step from each line, and answers with a line of JSON. Linux only.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from ordbench.leaderboard.formats import render
from ordbench.leaderboard.loading import load_tables
from ordbench.recipe import Recipe
from ordbench.results.store import Store
from ordbench.runs.preparation import prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import run_cell
from ordbench.runs.spec import RunSpec, resolved

SHOTS = 16
LARGE_BATCHES = Recipe(learning_rate=1e-2, batch_size=4096)


class Steps:
    """What `ordbench run` and `ordbench table` do, one step a method."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.resources = Resources(Locations(cache=path.parent, device="cpu"))
        self.store = Store(path.parent / "results")

    def spec(self, head: str = "linear", shots: int | None = SHOTS, seed: int = 0) -> RunSpec:
        fields = {
            "head": head,
            "dataset": f"features:{self.path}",
            "text": "" if head == "linear" else "clip:tiny",
            "shots": shots,
            "data_seed": seed,
            "train_seed": seed,
        }
        return resolved(RunSpec.model_validate(fields))

    def list(self) -> None:
        """Read, check and fingerprint the samples and their features."""
        self.resources.material(self.spec()).listing.fingerprint  # noqa: B018

    def split_all(self) -> None:
        """Draw the split of all rows, which works out the folds and what is held out."""
        self.split(self.spec(shots=None))

    def split_shots(self) -> None:
        """Draw four numbers of shots by three data seeds."""
        for shots in (1, 4, 8, SHOTS):
            for seed in range(3):
                self.split(self.spec(shots=shots, seed=seed))

    def split(self, spec: RunSpec) -> None:
        listing = self.resources.listing(spec)
        assert self.resources.split(spec, listing).hash

    def run(self, spec: RunSpec) -> dict[str, float]:
        """Train, test and keep."""
        (result,) = run_cell([prepare(spec, self.resources)], self.resources)
        assert result.record.training, result.record.error
        record = self.store.write(result.record, result.predictions, result.head)
        files = self.store.root.rglob(f"{record.run_id}*")
        kept = sum(file.stat().st_size for file in files)
        return {"steps": result.record.training.steps, "MB kept": kept / 1e6}

    def linear_shots(self) -> dict[str, float]:
        return self.run(self.spec())

    def ordinalclip_shots(self) -> dict[str, float]:
        return self.run(self.spec("ordinalclip"))

    def linear_all(self) -> dict[str, float]:
        return self.run(self.spec(shots=None))

    def linear_all_in_large_batches(self) -> dict[str, float]:
        return self.run(self.spec(shots=None).model_copy(update={"recipe": LARGE_BATCHES}))

    def table(self) -> None:
        assert "linear" in render(load_tables(self.store.root), "rich")


def peak() -> int:
    """The most memory that this process held, in MiB; getrusage would count its parent's, too."""
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib) // 1024


def main(path: str) -> None:
    steps = Steps(Path(path))
    print(flush=True)
    for line in sys.stdin:
        started = time.process_time()
        about = getattr(steps, line.strip())() or {}
        about |= {"CPU s": time.process_time() - started, "peak MiB": peak()}
        print(json.dumps(about), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
