"""What a user types to choose a plug-in: ``NAME[:ARGUMENT][:KEY=VALUE ...]``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ordbench.errors import SpecError
from ordbench.utils.text import split

_KEY_VALUE = re.compile(r"([A-Za-z][\w-]*)=(.*)", re.DOTALL)


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
            raise SpecError(f"{text!r} names nothing; write NAME[:ARGUMENT][:KEY=VALUE]")
        arguments: list[str] = []
        options: dict[str, str] = {}
        for piece in rest:
            if not (match := _KEY_VALUE.fullmatch(piece)):
                arguments.append(piece)
                continue
            key = match[1].replace("-", "_")
            if key in options:
                raise SpecError(f"{text!r} gives the option {key!r} twice")
            options[key] = match[2].strip('"')
        return cls(name, ":".join(arguments).strip('"'), options)

    def __str__(self) -> str:
        pieces = [self.name, *([self.argument] if self.argument else [])]
        for key, value in sorted(self.options.items()):
            pieces.append(f'{key}="{value}"' if re.search(r"[:,]", value) else f"{key}={value}")
        return ":".join(pieces)
