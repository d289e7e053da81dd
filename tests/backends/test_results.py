"""What is said of results beyond pynenc's contract: any text is a value, and any text an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

each_slot = pytest.mark.parametrize("slot", ["result", "exception"])

TEXTS = {
    "empty": "",
    "blank": " \r\n\t ",
    "NUL": "\0before\0\0after\0",
    "emoji": "\U0001f389\U0001f468\u200d\U0001f469 ä a\u0308 漢字",
    "quotes": 'it\'s "quoted"; DROP TABLE x; -- ? %s {} \\',
    "lone surrogates": "\ud800 between \udfff",
    "not JSON": "{'key': ",
    "looks like bytes": "b'\\xff'",
    "number": "007",
}


def _set(backend: PytestStateBackend, slot: str, invocation_id: str, text: str) -> None:
    getattr(backend, f"_set_{slot}")(invocation_id, text)


def _get(backend: PytestStateBackend, slot: str, invocation_id: str) -> str:
    text: str = getattr(backend, f"_get_{slot}")(invocation_id)
    return text


@each_slot
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_comes_back_to_the_letter(
    pynenc_state_backend: PytestStateBackend, slot: str, text: str
) -> None:
    """No text is too odd for either slot, and an exception is not looked into."""
    _set(pynenc_state_backend, slot, "invocation", text)
    assert _get(pynenc_state_backend, slot, "invocation") == text


@each_slot
@pytest.mark.parametrize("invocation_id", TEXTS.values(), ids=TEXTS)
def test_any_text_is_an_id(
    pynenc_state_backend: PytestStateBackend, slot: str, invocation_id: str
) -> None:
    """An id may be any text, and is told apart from all others."""
    _set(pynenc_state_backend, slot, invocation_id, "of the id")
    _set(pynenc_state_backend, slot, invocation_id + "x", "of another")
    assert _get(pynenc_state_backend, slot, invocation_id) == "of the id"
