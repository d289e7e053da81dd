"""Checking patterns, which Python reads where MongoDB has PCRE."""

from __future__ import annotations

import re
from typing import Any

from bson.regex import Regex

from pytest_pynenc_state.backends.mongo.server.errors import refuse

_ESCAPED = re.compile(r"\\.", re.DOTALL)
# Character classes by name, which Python reads as sets of letters.
_NAMED_CLASS = re.compile(r"\[([:.=])[^\[\]]*\1\]")


def check_pattern(pattern: Regex[Any]) -> None:
    """Check *pattern*.

    :raises CommandError: Python would read it otherwise (NotImplemented).
    :raises re.error: It is wrong.
    """
    text = pattern.pattern
    text = text if isinstance(text, str) else text.decode("latin-1")
    if _NAMED_CLASS.search(_ESCAPED.sub("_", text)):
        refuse(f"pattern {text!r}", "Python has no such character classes")
    if r"\Z" in _ESCAPED.findall(text):
        refuse(f"pattern {text!r}", r"Python's \Z matches at the very end only")
    pattern.try_compile()
