"""ordbench: ordinal-regression heads, compared fairly on one backbone interface.

These names, `ordbench.nn`, `ordbench.plots`, `ordbench.prompts` and `ordbench.testing` are the
public interface. Every other module may change without notice.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordbench.backbone import Backbone as Backbone
    from ordbench.backbone import BackboneFamily as BackboneFamily
    from ordbench.backbone import TextTower as TextTower
    from ordbench.dataset import Dataset as Dataset
    from ordbench.dataset import DatasetCard as DatasetCard
    from ordbench.dataset import OfficialSplit as OfficialSplit
    from ordbench.dataset import Sample as Sample
    from ordbench.dataset import Samples as Samples
    from ordbench.dataset import SkippedFile as SkippedFile
    from ordbench.errors import BackboneError as BackboneError
    from ordbench.errors import DatasetError as DatasetError
    from ordbench.errors import OrdbenchError as OrdbenchError
    from ordbench.errors import SpecError as SpecError
    from ordbench.head import BaseHead as BaseHead
    from ordbench.head import Head as Head
    from ordbench.head import PointHead as PointHead
    from ordbench.head import Prediction as Prediction
    from ordbench.head import Problem as Problem
    from ordbench.metrics.evaluation import Evaluation as Evaluation
    from ordbench.metrics.registry import Metric as Metric
    from ordbench.protocol import Parts as Parts
    from ordbench.protocol import SplitProtocol as SplitProtocol
    from ordbench.recipe import LogUniform as LogUniform
    from ordbench.recipe import Recipe as Recipe
    from ordbench.recipe import SearchSpace as SearchSpace
    from ordbench.results.loading import load_records as load_records
    from ordbench.results.trained_heads import load_head as load_head
    from ordbench.runs.estimates import Estimates as Estimates
    from ordbench.runs.predictor import Predictor as Predictor
    from ordbench.runs.resources import Locations as Locations
    from ordbench.runs.spec import RunSpec as RunSpec
    from ordbench.sweeps.api import run as run
    from ordbench.sweeps.api import sweep as sweep
    from ordbench.sweeps.callback import Callback as Callback
    from ordbench.sweeps.scheduler import Policy as Policy
    from ordbench.sweeps.spec import SweepSpec as SweepSpec
    from ordbench.task import Task as Task
    from ordbench.utils.images import ImageBytes as ImageBytes

    __version__: str

_MODULES = {
    "backbone": ("Backbone", "BackboneFamily", "TextTower"),
    "dataset": ("Dataset", "DatasetCard", "OfficialSplit", "Sample", "Samples", "SkippedFile"),
    "errors": ("BackboneError", "DatasetError", "OrdbenchError", "SpecError"),
    "head": ("BaseHead", "Head", "PointHead", "Prediction", "Problem"),
    "metrics.evaluation": ("Evaluation",),
    "metrics.registry": ("Metric",),
    "protocol": ("Parts", "SplitProtocol"),
    "recipe": ("LogUniform", "Recipe", "SearchSpace"),
    "results.loading": ("load_records",),
    "results.trained_heads": ("load_head",),
    "runs.estimates": ("Estimates",),
    "runs.predictor": ("Predictor",),
    "runs.resources": ("Locations",),
    "runs.spec": ("RunSpec",),
    "sweeps.api": ("run", "sweep"),
    "sweeps.callback": ("Callback",),
    "sweeps.scheduler": ("Policy",),
    "sweeps.spec": ("SweepSpec",),
    "task": ("Task",),
    "utils.images": ("ImageBytes",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import ordbench` does not load torch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ordbench")
    if name not in _HOME:
        raise AttributeError(f"module 'ordbench' has no attribute {name!r}")
    return getattr(import_module(f"ordbench.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """The public names, whether they are imported yet or not."""
    return sorted([*_HOME, "__version__", "nn", "plots", "prompts", "testing"])
