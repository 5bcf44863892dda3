"""What a user types to choose a plug-in: ``NAME[:ARGUMENT][:KEY=VALUE ...]``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ordbench.errors import SpecError
from ordbench.utils.text import split

if TYPE_CHECKING:  # a table does not load pydantic, which recipes need
    from ordbench.recipe import OptionValue

_KEY_VALUE = re.compile(r"([A-Za-z][\w-]*)=(.*)", re.DOTALL)
_SPECIAL = re.compile(r"[:,]|^\s|\s$")  # means something else outside quotes
_AMBIGUOUS = re.compile(
    r",|(^|:)\s|\s(:|$)|(^|:)[A-Za-z][\w-]*="
)  # so does an argument like KEY=VALUE


@dataclass(frozen=True)
class PluginRef:
    """A plug-in's name, its argument and its options, as typed.

    >>> PluginRef.parse('ordinalclip:base_ranks=5:context="age estimation: the age is"').options
    {'base_ranks': '5', 'context': 'age estimation: the age is'}
    >>> PluginRef.parse("clip:hf-hub:org/repo").argument
    'hf-hub:org/repo'
    >>> str(PluginRef.parse("ordinalclip:base-ranks=5"))
    'ordinalclip:base_ranks=5'
    """

    name: str
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def parse(cls, text: str) -> PluginRef:
        """Read one choice.

        Raises:
            SpecError: If the name is empty or an option stands twice.
        """
        name, *rest = split(text, ":")
        if not name:
            raise SpecError(f"{text!r} has no name; write NAME[:ARGUMENT][:KEY=VALUE]")
        arguments: list[str] = []
        options: dict[str, str] = {}
        for piece in rest:
            if not (match := _KEY_VALUE.fullmatch(piece)):
                arguments.append(_unquoted(piece))
                continue
            key = match[1].replace("-", "_")
            if key in options:
                raise SpecError(f"{text!r} gives the option {key!r} twice")
            options[key] = _unquoted(match[2])
        return cls(name, ":".join(arguments), options)

    def __str__(self) -> str:
        argument = f'"{self.argument}"' if _AMBIGUOUS.search(self.argument) else self.argument
        options = [
            f'{key}="{value}"' if _SPECIAL.search(value) else f"{key}={value}"
            for key, value in sorted(self.options.items())
        ]
        return ":".join([self.name, *([argument] if argument else []), *options])


def typed_value(value: OptionValue) -> str:
    """An option's value as a user would type it, but for quotes.

    >>> typed_value((256, 128)), typed_value(None), typed_value(True), typed_value(1e-05)
    ('256;128', 'none', 'true', '1e-05')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "none" if value is None else ";".join(map(typed_value, value))


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text
