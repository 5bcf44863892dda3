"""Options of heads and datasets: declared as annotated keyword-only arguments, checked by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ordbench.errors import SpecError
from ordbench.recipe import OptionValue
from ordbench.utils.text import did_you_mean

_CONFIG = ConfigDict(strict=False, allow_inf_nan=False)  # JSON knows finite numbers only


def declared(plugin: Callable[..., object]) -> dict[str, tuple[Any, OptionValue]]:
    """Type and default of each option of ``plugin``, in the order of its signature."""
    target = plugin.__init__ if inspect.isclass(plugin) else plugin
    hints = get_type_hints(target)
    return {
        name: (hints[name], parameter.default)
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def resolve(
    plugin: Callable[..., object], given: Mapping[str, OptionValue], *, owner: str
) -> dict[str, OptionValue]:
    """Check the options that a user gave and fill in the defaults of the others.

    Args:
        plugin: The class or function that takes the options.
        given: Options as typed; strings are converted to the declared type.
        owner: What an error calls the plug-in ("head 'coral'").

    Raises:
        SpecError: If an option is not declared, or its value is not of its type.

    >>> def plugin(*, base_ranks: int = 3) -> None: ...
    >>> resolve(plugin, {"base_ranks": "5"}, owner="head 'x'")
    {'base_ranks': 5}
    """
    options = declared(plugin)
    resolved: dict[str, OptionValue] = {name: default for name, (_, default) in options.items()}
    for name, value in given.items():
        if name not in options:
            raise SpecError(f"{owner} has no option {name!r}; {did_you_mean(name, options)}")
        kind = options[name][0]
        try:
            resolved[name] = TypeAdapter(kind, config=_CONFIG).validate_python(value)
        except ValidationError as error:
            wanted = error.errors()[0]["msg"]
            raise SpecError(f"{owner}, option {name}={value!r}: {wanted}") from None
    return resolved


def changed(plugin: type, options: Mapping[str, OptionValue]) -> dict[str, str]:
    """The options of a plug-in that are not the default, as they would be typed."""
    defaults = {key: value for key, (_, value) in declared(plugin).items()}
    return {key: str(value) for key, value in options.items() if value != defaults.get(key)}
