"""Errors as MongoDB reports them: a number, the number's name, and a message.

Whatever a command raises becomes such a report; a client that got no answer would hang.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any, NoReturn

from bson.errors import BSONError, InvalidBSON
from pymongo.errors import (
    CollectionInvalid,
    DuplicateKeyError,
    InvalidName,
    OperationFailure,
)


class Code(IntEnum):
    """The codes that this server gives, by the names that MongoDB gives them."""

    BadValue = 2
    UnknownError = 8
    FailedToParse = 9
    TypeMismatch = 14
    Overflow = 15
    InvalidLength = 16
    AuthenticationFailed = 18
    IllegalOperation = 20
    InvalidBSON = 22
    NamespaceNotFound = 26
    IndexNotFound = 27
    PathNotViable = 28
    ConflictingUpdateOperators = 40
    CursorNotFound = 43
    NamespaceExists = 48
    InvalidIdField = 53
    CommandNotFound = 59
    ImmutableField = 66
    CannotCreateIndex = 67
    InvalidOptions = 72
    InvalidNamespace = 73
    IndexOptionsConflict = 85
    IndexKeySpecsConflict = 86
    NotImplemented = 238
    UnsupportedOpQueryCommand = 352
    DuplicateKey = 11000
    BSONObjectTooLarge = 10334


#: Codes that have no name.
UNKNOWN_FIELD = 40415
CHANGE_STREAM_ON_STANDALONE = 40573
INCLUSION_IN_EXCLUSION = 31253
EXCLUSION_IN_INCLUSION = 31254
PATH_COLLISION = 31249
BAD_REGEX = 51091

_NAMES = {int(code): code.name for code in Code}

# mongomock gives most of its errors no code; these are told apart by what they say.
_MEANT = (
    ("(immutable) field '_id'", Code.ImmutableField),
    ("The _id field cannot be changed", Code.ImmutableField),
    ("Path collision", PATH_COLLISION),
    ("index not found", Code.IndexNotFound),
)

# The first class that fits decides.
_BY_CLASS: tuple[tuple[type[Exception], int], ...] = (
    (NotImplementedError, Code.NotImplemented),
    (InvalidName, Code.InvalidNamespace),
    (CollectionInvalid, Code.NamespaceExists),
    (InvalidBSON, Code.InvalidBSON),
    (BSONError, Code.BadValue),
    (RecursionError, Code.Overflow),
    (ArithmeticError, Code.BadValue),
    (re.error, BAD_REGEX),
    (ValueError, Code.FailedToParse),
)

# With these mongomock stumbles over what it does not expect, a comparison of types for example.
_STUMBLES = (TypeError, AttributeError, LookupError, AssertionError)


class CommandError(Exception):
    """A command, or one statement of it, was refused; what it would have done is not done.

    :param details: Further fields of the report, such as ``keyPattern``.
    """

    def __init__(self, code: int, message: str, **details: Any) -> None:
        super().__init__(code, message)
        self.code = int(code)
        self.message = message
        self.details = details

    @property
    def code_name(self) -> str:
        """The code's name; ``Location<code>`` for those without one, as MongoDB says it."""
        return _NAMES.get(self.code, f"Location{self.code}")

    def as_reply(self) -> dict[str, Any]:
        """The report as the answer to a whole command."""
        return {
            "ok": 0.0,
            "errmsg": self.message,
            "code": self.code,
            "codeName": self.code_name,
            **self.details,
        }

    def as_write_error(self, index: int) -> dict[str, Any]:
        """The report as that of a command's statement number *index*."""
        return {"index": index, "code": self.code, "errmsg": self.message, **self.details}


def refuse(what: str, reason: str) -> NoReturn:
    """Refuse *what*, which MongoDB would do.

    :raises CommandError: Always (NotImplemented).
    """
    raise CommandError(Code.NotImplemented, f"{what} is not supported here: {reason}")


def translated(error: Exception) -> CommandError:
    """Return *error*, raised by a command, as a report."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, DuplicateKeyError):
        return _duplicate_key(error)
    if isinstance(error, OperationFailure):
        return CommandError(_code_of(error), str(error))
    for kind, code in _BY_CLASS:
        if isinstance(error, kind):
            return CommandError(code, str(error))
    if isinstance(error, _STUMBLES):
        message = f"this is not supported here: mongomock gave up, {type(error).__name__}: {error}"
        return CommandError(Code.NotImplemented, message)
    return CommandError(Code.UnknownError, f"{type(error).__name__}: {error}")


def _duplicate_key(error: DuplicateKeyError) -> CommandError:
    details = error.details or {}
    shown = {name: details[name] for name in ("keyPattern", "keyValue") if name in details}
    return CommandError(Code.DuplicateKey, details.get("errmsg", str(error)), **shown)


def _code_of(error: OperationFailure) -> int:
    if error.code is not None:
        return error.code
    text = str(error)
    return next((code for part, code in _MEANT if part in text), Code.BadValue)
