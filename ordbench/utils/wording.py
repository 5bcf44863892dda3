"""What a value should have been, in plain words, where pydantic refuses it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# By the type of the error. Braces take what pydantic says of the bound.
_WANTED = {
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "tuple_type": "a list",
    "list_type": "a list",
    "too_short": "a list that is not empty",
    "none_required": "none",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
}

# Errors that are not about a value.
_SAID = {"missing": "it is missing", "extra_forbidden": "unknown key"}


def wanted(errors: Iterable[ErrorDetails]) -> str:
    """What would have been right, or the message of a check of our own.

    The members of a union have an error each.

    >>> from pydantic import TypeAdapter, ValidationError
    >>> try:
    ...     TypeAdapter(int | bool).validate_python("x")
    ... except ValidationError as error:
    ...     wanted(error.errors())
    'wanted a whole number or true or false'
    """
    found: dict[str, None] = {}
    for error in errors:
        if error["type"] in _SAID:
            return _SAID[error["type"]]
        if error["type"] == "value_error":
            return error["msg"].removeprefix("Value error, ")
        words = _WANTED.get(error["type"], error["msg"].removeprefix("Input should be "))
        found[words.format_map(error.get("ctx", {}))] = None
    return f"wanted {' or '.join(found)}"
