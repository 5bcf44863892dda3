from ordbench.sweeps.cells import cells, longest_first
from ordbench.sweeps.spec import SweepSpec


def test_the_longest_cells_of_a_dataset_come_first_and_equal_ones_keep_their_order() -> None:
    spec = SweepSpec.from_options(
        head="linear,coop,coral", dataset="drawn-faces,utkface", shots="1,all,8"
    )
    planned = longest_first(cells(spec.expand()))
    order = [(cell.specs[0].dataset, cell.specs[0].head, cell.specs[0].shots) for cell in planned]
    assert [dataset for dataset, _, _ in order] == ["drawn-faces"] * 9 + ["utkface"] * 9
    assert [what for _, *what in order[:5]] == [
        ["coop", None],
        ["coop", 8],
        ["coop", 1],
        ["linear", None],
        ["coral", None],
    ]
