"""What the user can mend: one base class, printed as one line with exit code 2."""


class OrdbenchError(Exception):
    """Shown as one line, without a traceback. Say what was wrong, where, and what to do."""


class UnknownPluginError(OrdbenchError, KeyError):
    """No installed package offers that name."""

    __str__ = Exception.__str__  # a KeyError would put quotes around its message


class BrokenPluginError(OrdbenchError, ImportError):
    """A package offers that name, but what it points to cannot be used."""


class SpecError(OrdbenchError, ValueError):
    """A head, dataset, backbone, option or number was asked for that cannot be had."""


class DatasetError(OrdbenchError):
    """The images or labels of a dataset are missing or unusable."""


class BackboneError(OrdbenchError):
    """The weights of a backbone are missing or do not fit."""


class TrainingError(OrdbenchError):
    """A training broke down; names the head and the step."""


class StoreError(OrdbenchError):
    """Results or caches cannot be read or written."""
