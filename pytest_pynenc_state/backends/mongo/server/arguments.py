"""Reading a command's fields: each has a type, and a value of another type is refused."""

from __future__ import annotations

from typing import Any, NoReturn

from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError
from pytest_pynenc_state.backends.mongo.server.wire import Document

#: How many documents the first batch has unless the client says otherwise.
DEFAULT_BATCH = 101


def document(fields: Document, name: str) -> Document:
    """Return a document; an empty one if the field is missing or null.

    :raises CommandError: It is something else (TypeMismatch).
    """
    value = fields.get(name)
    if value is None:
        return {}
    return value if isinstance(value, dict) else _refuse(name, value, "object")


def documents(fields: Document, name: str) -> list[Document]:
    """Return an array of documents, which must not be missing.

    :raises CommandError: It is missing (FailedToParse) or something else (TypeMismatch).
    """
    value = required(fields, name)
    if not isinstance(value, list):
        _refuse(name, value, "array")
    for item in value:
        if not isinstance(item, dict):
            _refuse(f"{name}[]", item, "object")
    return list(value)


def required(fields: Document, name: str) -> Any:
    """Return the value of a field that must not be missing.

    :raises CommandError: It is missing (FailedToParse).
    """
    if name not in fields:
        raise CommandError(Code.FailedToParse, f"the field '{name}' is missing but required")
    return fields[name]


def integer(fields: Document, name: str, default: int) -> int:
    """Return a whole number that is not negative.

    :raises CommandError: It is no number (TypeMismatch), negative or broken (BadValue).
    """
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(name, value, "number")
    if value < 0 or value != int(value):
        message = f"the value of '{name}' must be a whole number of at least 0, got {value}"
        raise CommandError(Code.BadValue, message)
    return int(value)


def batch_size(fields: Document) -> int:
    """Return how many documents a command's ``cursor`` field wants in the first batch.

    :raises CommandError: As `document` and `integer` do.
    """
    return integer(document(fields, "cursor"), "batchSize", DEFAULT_BATCH)


def flag(fields: Document, name: str, *, default: bool = False) -> bool:
    """Return a boolean, which may be written as a number.

    :raises CommandError: It is something else (TypeMismatch).
    """
    value = fields.get(name)
    if value is None:
        return default
    return bool(value) if isinstance(value, int | float) else _refuse(name, value, "bool")


def text(fields: Document, name: str) -> str:
    """Return a string, which must not be missing.

    :raises CommandError: It is missing (FailedToParse) or something else (TypeMismatch).
    """
    value = required(fields, name)
    return value if isinstance(value, str) else _refuse(name, value, "string")


def _refuse(name: str, value: Any, expected: str) -> NoReturn:
    message = f"field '{name}' must be of type {expected}, got {type(value).__name__}: {value!r}"
    raise CommandError(Code.TypeMismatch, message)
