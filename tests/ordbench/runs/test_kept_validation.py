import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from safetensors.numpy import save

from ordbench.runs.kept_head import from_safetensors
from ordbench.runs.kept_validation import read_calibration
from ordbench.runs.resources import Resources
from ordbench.runs.runner import run_cell
from ordbench.sweeps.survey import PreparedCell

SmallCells = Callable[..., list[PreparedCell]]


def test_it_is_what_the_kept_head_holds(resources: Resources, small_cells: SmallCells) -> None:
    (cell,) = small_cells("linear", shots="2")
    (result,) = run_cell(cell.runs[:1], resources)
    assert result.head is not None
    kept, found = from_safetensors(result.head).validation, read_calibration(result.head)
    assert found is not None
    assert kept.posterior is not None
    assert np.array_equal(found.posterior, kept.posterior)
    assert np.array_equal(found.ranks, kept.ranks)
    assert found.posterior.sum(1) == pytest.approx(1, abs=1e-6)


def test_a_head_without_a_posterior_has_none() -> None:
    assert read_calibration(save({"validation.ranks": np.arange(3)})) is None


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0nonsense"])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="it is not a head that ordbench kept"):
        read_calibration(content)


def test_it_loads_no_torch() -> None:
    code = "import sys, ordbench.runs.kept_validation; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
