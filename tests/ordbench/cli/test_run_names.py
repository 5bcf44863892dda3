import pytest

from ordbench.cli.run_names import RunNames
from ordbench.runs.spec import RunSpec


def spec(**changes: object) -> RunSpec:
    fields: dict[str, object] = {"head": "coral", "dataset": "drawn-faces", "shots": 1}
    return RunSpec.model_validate(fields | changes)


def csv(path: str) -> RunSpec:
    return spec(dataset="csv", dataset_argument=path)


def timm(path: str) -> RunSpec:
    return spec(backbone=f"timm:resnet18@{path}")


@pytest.mark.parametrize(
    ("specs", "common", "names"),
    [
        ([spec()], "1 run: drawn-faces, clip:tiny, 1 shot", ["coral, seed 0"]),
        (
            [spec(data_seed=1, train_seed=1), spec(data_seed=1)],
            "2 runs: drawn-faces, clip:tiny, 1 shot",
            ["coral, seed 1", "coral, data seed 1, train seed 0"],
        ),
        (
            [spec(), spec(shots=None)],
            "2 runs: drawn-faces, clip:tiny",
            ["coral, 1 shot, seed 0", "coral, all images, seed 0"],
        ),
        (
            [spec(fold=2)],
            "1 run: drawn-faces, clip:tiny, 1 shot, fold 2",
            ["coral, seed 0"],
        ),
        (
            [spec(fold=0), spec(fold=1)],
            "2 runs: drawn-faces, clip:tiny, 1 shot",
            ["coral, fold 0, seed 0", "coral, fold 1, seed 0"],
        ),
        (
            [spec(protocol="kfold:folds=10")],
            "1 run: drawn-faces, clip:tiny, 1 shot, protocol kfold:folds=10, fold 0 of 10; "
            "--fold all tests every fold",
            ["coral, seed 0"],
        ),
        (
            [spec(protocol="kfold:folds=2"), spec(protocol="kfold:folds=2", fold=1)],
            "2 runs: drawn-faces, clip:tiny, 1 shot, protocol kfold:folds=2",
            ["coral, fold 0 of 2, seed 0", "coral, fold 1 of 2, seed 0"],
        ),
        ([csv("/d/a.csv")], "1 run: csv:/d/a.csv, clip:tiny, 1 shot", ["coral, seed 0"]),
        (
            [csv("/d/a.csv"), csv("/d/b.csv")],
            "2 runs: clip:tiny, 1 shot",
            ["coral, csv:a.csv, seed 0", "coral, csv:b.csv, seed 0"],
        ),
        (
            [csv("/d/a.csv"), csv("/e/a.csv")],
            "2 runs: clip:tiny, 1 shot",
            ["coral, csv:/d/a.csv, seed 0", "coral, csv:/e/a.csv, seed 0"],
        ),
        (
            [timm("/w/a.pt"), spec(backbone="clip:ViT-B-16/openai")],
            "2 runs: drawn-faces, 1 shot",
            ["coral, timm:resnet18@a.pt, seed 0", "coral, clip:ViT-B-16/openai, seed 0"],
        ),
    ],
)
def test_a_name_says_what_differs_and_the_rest_is_said_once(
    specs: list[RunSpec], common: str, names: list[str]
) -> None:
    found = RunNames(specs)
    assert found.common() == common
    assert [found.run(one, "coral") for one in specs] == names
