"""What may be written as the value of an option, and what is wrong with anything else.

A session in which nobody chooses a value does not load this module.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from pytest_pynenc_state.errors import OptionsError

# More names than this do not help somebody who looks for one.
_FEW = 20


class ServerUrl(str):
    """The URL of a server, whose representation in tracebacks and messages has no password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(without_credentials(self))


def without_credentials(text: str) -> str:
    """Return *text* with ``***`` for what is, or may be, a login or a secret in a URL.

    Rather too much than too little: a URL that is malformed is shown in an error.
    """
    login = r"(\w[\w+.-]*://|(?<![^\s'\"]))[^\s'\"]*@"
    other = r"(?i)(\w*(?:password|token|secret|mechanismproperties)\w*=)[^\s&;'\"]+"
    return re.sub(other, r"\1***", re.sub(login, r"\1***@", text))


#: The endings of the files that a report can be written to.
REPORT_FORMS = (".html", ".json", ".md")


def near_match(word: str, known: Sequence[str]) -> str:
    """A remedy: the known word that looks most like *word*, or all if they are few."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from: {', '.join(known)}" if 0 < len(known) <= _FEW else "check the spelling"


def _refuse(reason: str, remedy: str) -> NoReturn:
    raise OptionsError(reason, remedy)


def names(text: str) -> tuple[str, ...]:
    """Return the names in *text*, separated by commas or space, in order, each once.

    :raises OptionsError: There is none.
    """
    found = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if not found:
        _refuse("names no backend", "name one or more, separated by commas")
    return found


def choice(text: str, choices: Sequence[str]) -> str:
    """Return *text*, which is one of *choices*.

    :raises OptionsError: It is none.
    """
    if text not in choices:
        _refuse(f"is none of {', '.join(choices)}", near_match(text, choices))
    return text


def app_path(text: str) -> str:
    """Return *text*, which names an app.

    :raises OptionsError: It is not of the form ``pkg.mod:app``.
    """
    module, colon, attribute = text.partition(":")
    if not (colon and module and attribute):
        _refuse("is not of the form pkg.mod:app", f"write it like {module or 'pkg.mod'}:app")
    return text


def files(text: str) -> tuple[str, ...]:
    """Return the file names in *text*, separated by commas, in order, each once.

    :raises OptionsError: There is none.
    """
    found = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not found:
        _refuse("names no file", "name one or more, separated by commas")
    return found


def report_files(text: str) -> tuple[str, ...]:
    """Return the file names in *text*, as `files`.

    :raises OptionsError: There is none, or one has no form that can be written.
    """
    found = files(text)
    for name in found:
        if Path(name).suffix not in REPORT_FORMS:
            _refuse(f"does not end in {' or '.join(REPORT_FORMS)}", "the ending says the form")
        if Path(name).suffix == ".html" and find_spec("jinja2") is None:
            _refuse("needs Jinja2", "pip install 'pytest-pynenc-state[report]'")
    return found


def seconds(text: str) -> float:
    """Return the number of seconds that *text* is, more than none and not for ever.

    :raises OptionsError: It is no such number.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        _refuse("is not a positive number of seconds", "write a number like 30 or 2.5")
    return number


def count(text: str) -> int:
    """Return the number that *text* is, 1 or more.

    :raises OptionsError: It is no such number.
    """
    if not text.isdecimal() or int(text) < 1:
        _refuse("is not a whole number from 1 on", "write a number like 4")
    return int(text)


def seed(text: str) -> int:
    """Return the number that *text* is, 0 or more.

    :raises OptionsError: It is no such number.
    """
    if not text.isdecimal():
        _refuse("is not a whole number from 0 on", "write the one that was printed")
    return int(text)


def mongo_url(text: str) -> ServerUrl:
    """Return *text*, which is the URL of a MongoDB.

    :raises OptionsError: It is none, or has a login that is not percent-encoded.
    """
    scheme, separator, rest = text.partition("://")
    if separator == "" or scheme not in ("mongodb", "mongodb+srv"):
        _refuse(
            "is no URL that starts with mongodb:// or mongodb+srv://",
            "write it like mongodb://localhost:27017",
        )
    host, *others = rest.replace("?", "/").split("/")
    # A driver would take a part of such a login for something else, and show it in an error.
    if any("@" in part for part in others):
        _refuse(
            "has a special character in user, password or an option",
            "percent-encode it: / is %2F, ? is %3F, @ is %40",
        )
    if not host.rpartition("@")[2]:
        _refuse("names no host", "write it like mongodb://localhost:27017")
    return ServerUrl(text)
