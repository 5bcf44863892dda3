"""Commands that make the runs of records again."""

import shlex
from collections.abc import Sequence
from typing import Any

from ordbench.report.commands import commands
from ordbench.runs.record import Record
from ordbench.runs.spec import RunSpec, resolved
from ordbench.runs.titles import head_label
from ordbench.sweeps.spec import SweepSpec
from ordbench.training.samplers import Tuning
from tests.ordbench.conftest import done


def specs_of(lines: Sequence[str]) -> list[RunSpec]:
    """What `ordbench run` would run."""
    found: list[RunSpec] = []
    for line in lines:
        program, verb, *words = shlex.split(line)
        assert (program, verb) == ("ordbench", "run")
        given: dict[str, Any] = {}
        while words:
            name = words.pop(0).removeprefix("--").replace("-", "_")
            value = "true" if not words or words[0].startswith("--") else words.pop(0)
            if name == "recipe":
                given.setdefault(name, []).append(value)
            else:
                given[name] = value
        found += SweepSpec.from_options(**given).expand()
    return found


def record(number: int, head: str, **fields: object) -> Record:
    described = {"head": head, "dataset": "drawn-faces", **fields}
    spec = resolved(RunSpec.model_validate(described))
    return done(number, spec=spec, label=head_label(spec))


def keys(specs: Sequence[RunSpec]) -> list[str]:
    return sorted(resolved(spec).model_dump_json() for spec in specs)


def test_the_commands_run_what_was_run() -> None:
    runs = [
        *(
            record(number, head, shots=shots, data_seed=seed, train_seed=seed)
            for number, (head, shots, seed) in enumerate(
                (head, shots, seed)
                for head in ("linear", 'coop:context="a: b, c":context_tokens=4', "knn:neighbors=3")
                for shots in (1, None)
                for seed in (0, 1, 2, 7)
            )
        ),
        record(100, "linear", shots=2, data_seed=3, train_seed=5),
        record(101, "linear", shots=2, data_seed=3, train_seed=6),
        record(102, "linear", fold=1, normalize=True, layer="pre", dtype="bfloat16"),
        record(103, "coral", protocol="paper", tuning=Tuning(budget=4, sampler="grid")),
        record(104, "linear", backbone="timm:resnet50.a1_in1k", text="clip:RN50/openai"),
        record(105, "linear", test_dataset="drawn-fruit:per_rank=5"),
        record(106, "linear", dataset="csv:ages.csv:file=id"),
        record(107, "sklearn:DecisionTreeClassifier"),
    ]
    lines = commands(runs)
    assert keys(specs_of(lines)) == keys([run.spec for run in runs])
    assert len(lines) < len(runs) / 2


def test_heads_with_the_same_settings_share_a_command() -> None:
    heads = ("linear", "coral", "knn")
    runs = [
        record(number, head, shots=shots, data_seed=seed, train_seed=seed)
        for number, (head, shots, seed) in enumerate(
            (head, shots, seed) for head in heads for shots in (4, 1, None) for seed in (1, 0, 3)
        )
    ]
    assert commands(runs) == [
        "ordbench run --head coral,knn,linear --dataset drawn-faces --backbone clip:tiny "
        "--shots 1,4,all --seeds 0-1,3"
    ]


def test_a_folder_of_this_machine_is_not_told() -> None:
    run = record(0, "linear", dataset="csv:/home/me/ages.csv", backbone="clip:RN50@/home/me/w.pt")
    (line,) = commands([run])
    assert "home" not in line
    assert "--dataset csv:ages.csv --backbone clip:RN50@w.pt" in line


def test_the_whole_recipe_of_an_unknown_head_is_told() -> None:
    known = record(0, "linear")
    spec = known.spec.model_copy(update={"head": "gone"})
    (line,) = commands([known.model_copy(update={"spec": spec, "label": "gone"})])
    assert line.count("--recipe") == 9
