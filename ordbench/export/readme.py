"""The README beside exported files: what they take and give, and how to run them."""

from __future__ import annotations

from collections.abc import Mapping

from ordbench.export.formats import Exportable, Written
from ordbench.export.inputs import Inputs
from ordbench.runs.kept_head import HeadFacts

MADE_BY = "Written by `ordbench export`"
_RUN = {
    "onnx": """```python
import onnxruntime  # takes NumPy arrays of float32

session = onnxruntime.InferenceSession("{name}")
({gives},) = session.run(None, {{"{takes}": {takes}}})
```""",
    "pt2": """```python
import torch

{gives} = torch.export.load("{name}").module()({takes})
```""",
    "safetensors": """```python
from safetensors.torch import load_file

weights = load_file("{name}")  # by name; there is no graph in it
```""",
}


def readme(
    what: Exportable,
    facts: HeadFacts,
    files: Mapping[str, Written],
    inputs: Inputs,
    *,
    transform: str,
) -> str:
    """The text, in Markdown.

    Args:
        what: What was exported.
        facts: Of the head.
        files: By name; the ending is the format.
        inputs: On which they were checked.
        transform: The preprocessing of images; empty where features are taken.
    """
    task = facts.task
    parts = [
        f"# {facts.label}: {task.title}",
        f"{MADE_BY} from run {facts.run_id}, which ordbench {facts.ordbench} made; compared with "
        f"PyTorch on {inputs.what}.",
        _table(
            ("file", "bytes", "largest difference from PyTorch"),
            [(name, len(one.content), f"{one.difference:.1e}") for name, one in files.items()],
        ),
        "## Input",
        _input(what, facts, inputs, transform),
        "## Output",
        _output(what, facts),
        "## Ranks",
        _table(
            ("rank", "name", f"value ({task.unit})"),
            list(zip(range(task.num_ranks), task.rank_names, task.rank_values, strict=True)),
        ),
        "## Use",
        *(
            _RUN[name.rpartition(".")[2]].format(name=name, takes=what.takes, gives=what.gives)
            for name in files
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _input(what: Exportable, facts: HeadFacts, inputs: Inputs, transform: str) -> str:
    shape = ", ".join(map(str, ("batch", *inputs.rows.shape[1:])))
    said = f"`{what.takes}`: float32 `({shape})`, "
    if transform:
        return f"{said}RGB images after `{transform}`."
    length = ", brought to unit length" if facts.normalize else ""
    if not facts.fingerprint:
        return f"{said}the features of the dataset, in their order{length}."
    return (
        f"{said}features of the backbone `{facts.backbone}`, layer `{facts.layer}`{length}; "
        f"SHA-256 of its weights: {facts.fingerprint}."
    )


def _output(what: Exportable, facts: HeadFacts) -> str:
    unit = facts.task.unit
    if facts.decode == "point":
        return f"`{what.gives}`: float32 `(batch,)`, the estimate in {unit}."
    return (
        f"`{what.gives}`: float32 `(batch, {facts.task.num_ranks})`, the probability of each rank. "
        f"The median, which has the least expected absolute error, is the value (in {unit}) of the "
        "first rank at which their running sum reaches 1/2."
    )


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(cell: object) -> str:
    text = f"{cell:g}" if isinstance(cell, float) else str(cell)
    return " ".join(text.split()).replace("|", "\\|")
