"""What signatures and docstrings of plug-ins say of their options, for people to read."""

from __future__ import annotations

import inspect
import re
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from ordbench.plugins.options import declared, takes_any
from ordbench.plugins.reference import typed_value

_ARGUMENTS = re.compile(r"^Args:\n((?:    .*\n|\n)*)", re.MULTILINE)
_ARGUMENT = re.compile(r"^    (\w+): (.*\n(?:     +.*\n)*)", re.MULTILINE)
_SECTION = re.compile(r"^(?:Args|Attributes|Raises):$", re.MULTILINE)


class OptionDoc(NamedTuple):
    """One option.

    Attributes:
        name: What is typed before the equals sign.
        type: What may be typed after it.
        default: Its default as it would be typed; None where one must be given.
        help: What its docstring says.
    """

    name: str
    type: str
    default: str | None
    help: str


def option_docs(plugin: type) -> list[OptionDoc]:
    """The options of a plug-in in the order of its signature, and those that it takes by any name.

    What is typed after the plug-in's name is no option; options of any name stand as ``KEY``.
    """
    texts = argument_texts(plugin)
    found = [
        OptionDoc(name, type_text(hint), _default(value), texts.get(name, ""))
        for name, (hint, value) in declared(plugin).items()
        if name != "argument"
    ]
    if more := takes_any(plugin):
        found.append(OptionDoc("KEY", "any", None, texts.get(more, "")))
    return found


def about(plugin: type) -> str:
    """The docstring of a class without its sections; empty where it has none of its own.

    >>> class Plugin:
    ...     '''Knows ``all``.
    ...
    ...     Args:
    ...         k: A number.
    ...     '''
    >>> about(Plugin)
    'Knows all.'
    """
    return _plain(_SECTION.split(inspect.cleandoc(plugin.__doc__ or ""))[0].strip())


def argument_texts(plugin: type) -> dict[str, str]:
    """What the docstrings of a class and of its bases say of each argument, the nearest first.

    One that only points to a base ("As in `Base`.") leaves the words to it.
    """
    texts: dict[str, str] = {}
    for one in plugin.__mro__:
        section = _ARGUMENTS.search(f"{inspect.cleandoc(one.__doc__ or '')}\n")
        for name, text in _ARGUMENT.findall(section[1]) if section else ():
            if not text.startswith("As in `"):
                texts.setdefault(name, _plain(" ".join(text.split())))
    return texts


def type_text(hint: Any) -> str:  # noqa: ANN401 - what a signature may hold
    """A type as it may be typed.

    >>> type_text(int | None), type_text(Literal["a", "b"]), type_text(tuple[float, ...])
    ('int or none', 'a or b', 'list of float')
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(typed_value, inner))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(type_text, inner)))
    if origin is tuple:
        parts = (type_text(one) for one in inner if one is not ...)
        return f"list of {' or '.join(dict.fromkeys(parts))}"
    words = {NoneType: "none", bool: "true or false", str: "text"}
    return words.get(hint, getattr(hint, "__name__", str(hint)))


def _default(value: Any) -> str | None:  # noqa: ANN401 - checked where options are resolved
    return None if value is inspect.Parameter.empty else typed_value(value)


def _plain(text: str) -> str:
    """Text without the marks of code."""
    return text.replace("`", "")
