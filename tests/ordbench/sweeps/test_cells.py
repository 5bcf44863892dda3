from ordbench.sweeps.cells import cells, longest_first
from ordbench.sweeps.spec import SweepSpec


def test_the_longest_cells_come_first_and_equal_ones_keep_their_order() -> None:
    grid = SweepSpec(heads=["linear,coop,coral"], datasets=["drawn-faces"], shots=["1,all,8"])
    order = [
        (cell.specs[0].head, cell.specs[0].shots) for cell in longest_first(cells(grid.specs()))
    ]
    assert order[:3] == [("coop", None), ("coop", 8), ("coop", 1)]
    assert order[3:5] == [("linear", None), ("coral", None)]
    assert len(order) == 9
