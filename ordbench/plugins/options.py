"""Options of heads and datasets: declared as annotated keyword-only arguments, checked by name."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from ordbench.errors import SpecError
from ordbench.plugins.reference import typed_value
from ordbench.recipe import OptionScalar, OptionValue
from ordbench.utils.text import did_you_mean, one_line
from ordbench.utils.wording import wanted

_CONFIG = ConfigDict(strict=False, allow_inf_nan=False)  # JSON knows finite numbers only


def declared(plugin: Callable[..., object]) -> dict[str, tuple[Any, object]]:
    """Type and default of each option of ``plugin``, in the order of its signature."""
    target, hints = _signature(plugin)
    return {
        name: (hints[name], parameter.default)
        for name, parameter in target.parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def option_fault(plugin: Callable[..., object]) -> str:
    """Why users cannot type the options that ``plugin`` declares, in one line; empty if they can.

    >>> def plugin(*, width=3) -> None: ...
    >>> option_fault(plugin)
    "its option 'width' has no type; write one, such as width: int"
    """
    try:
        parameters = _signature(plugin)[0].parameters.values()
        hints = _signature(plugin)[1]
    except Exception as error:  # a type may be any expression
        return f"the types of its options cannot be read: {one_line(error)}"
    for parameter in parameters:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        if parameter.name not in hints:
            return f"its option {parameter.name!r} has no type; write one, such as " + (
                f"{parameter.name}: int"
            )
        try:
            TypeAdapter[Any](hints[parameter.name], config=_CONFIG)
        except PydanticUserError:
            return (
                f"its option {parameter.name!r} cannot be typed as {hints[parameter.name]}; take "
                "bool, int, float, str, a Literal, or a tuple of these"
            )
    return ""


def takes_argument(plugin: Callable[..., object]) -> bool:
    """Whether something may be typed after the plug-in's name: it is the option ``argument``.

    >>> def plugin(*, argument: str) -> None: ...
    >>> takes_argument(plugin)
    True
    """
    return "argument" in declared(plugin)


def takes_any(plugin: Callable[..., object]) -> str:
    """The name under which a plug-in takes options that it does not declare; empty if it does not.

    >>> def plugin(*, k: int = 1, **parameters: int) -> None: ...
    >>> takes_any(plugin)
    'parameters'
    """
    parameters = _signature(plugin)[0].parameters.values()
    kinds = {parameter.kind: parameter.name for parameter in parameters}
    return kinds.get(inspect.Parameter.VAR_KEYWORD, "")


def resolve(
    plugin: Callable[..., object], given: Mapping[str, OptionValue], *, owner: str
) -> dict[str, OptionValue]:
    """Check the options that a user gave and fill in the defaults of the others.

    Args:
        plugin: The class or function that takes the options. One with ``**parameters`` takes any.
        given: Options as typed; strings are converted to the declared type, ``none`` is None where
            that is allowed, and a list is typed as ``1;2;3``.
        owner: What an error calls the plug-in ("head 'coral'").

    Raises:
        SpecError: If an option is not declared or missing, or its value is not of its type.

    >>> def plugin(*, base_ranks: int = 3, hidden: tuple[int, ...] = ()) -> None: ...
    >>> resolve(plugin, {"base_ranks": "5", "hidden": "256;128"}, owner="head 'x'")
    {'base_ranks': 5, 'hidden': (256, 128)}
    """
    options = declared(plugin)
    resolved: dict[str, OptionValue] = {}
    for name, (_, default) in options.items():
        if default is not inspect.Parameter.empty:
            resolved[name] = cast(OptionValue, default)
        elif name not in given:
            typed = owner.rpartition(" ")[2].strip("'")
            argument = f"an argument; write {typed}:ARGUMENT"
            raise SpecError(
                f"{owner} needs {argument if name == 'argument' else f'option {name!r}'}"
            )
    for name, value in given.items():
        if name in options:
            resolved[name] = _converted(
                TypeAdapter(options[name][0], config=_CONFIG), value, f"{owner}, option {name}"
            )
        elif takes_any(plugin):
            resolved[name] = _guessed(value)
        else:
            raise SpecError(
                f"{owner} has no option {name!r}; {did_you_mean(name, options)}{_path(name, value)}"
            )
    return resolved


def _path(name: str, value: OptionValue) -> str:
    """What to write where ``NAME=VALUE`` looks like a path."""
    if not re.search(r"[/\\]|\.[A-Za-z]", str(value)):
        return ""
    return f"; if {name}={value} is a path, write ./{name}={value}"


def _converted(adapter: TypeAdapter[OptionValue], value: OptionValue, what: str) -> OptionValue:
    written = [value, *([_guessed(value)] if isinstance(value, str) else [])]
    if isinstance(value, str):  # a list of one, or of none, has no semicolon
        written.append(tuple(value.split(";")) if value else ())
    errors: list[ValidationError] = []
    for one in written:
        try:
            return adapter.validate_python(one)
        except ValidationError as error:
            errors.append(error)
    found, of_list = errors[0].errors(), errors[-1].errors()
    said = of_list if found[0]["type"] == "tuple_type" else found
    raise SpecError(f"{what}={value!r}: {wanted(said)}") from None


def _guessed(value: OptionValue) -> OptionValue:
    """A typed value as the JSON that it is, or as a list of such, or as text.

    >>> _guessed("0.1;1"), _guessed("none"), _guessed("true"), _guessed("l2")
    ((0.1, 1), None, True, 'l2')
    """
    if not isinstance(value, str):
        return value
    if ";" in value:
        return tuple(cast(OptionScalar, _guessed(part)) for part in value.split(";"))
    try:
        known = json.loads({"none": "null"}.get(value.lower(), value.lower()))
    except ValueError:
        return value
    return known if isinstance(known, bool | int | float | None) and _finite(known) else value


def _finite(value: float | None) -> bool:
    return value is None or math.isfinite(value)


def _signature(plugin: Callable[..., object]) -> tuple[inspect.Signature, dict[str, Any]]:
    target = plugin.__init__ if inspect.isclass(plugin) else plugin
    if target is object.__init__:  # a class without one of its own takes nothing
        return inspect.Signature(), {}
    return inspect.signature(target), get_type_hints(target)


def changed(plugin: type, options: Mapping[str, OptionValue]) -> dict[str, str]:
    """The options of a plug-in that are not the default, as they would be typed."""
    defaults = {key: value for key, (_, value) in declared(plugin).items()}
    return {
        key: typed_value(value)
        for key, value in options.items()
        if key != "argument" and (key not in defaults or value != defaults[key])
    }
