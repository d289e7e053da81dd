"""Results and exceptions: text in, the same text out; two slots, the last write wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pynenc.exceptions import InvocationNotFoundError

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

SLOTS = ("result", "exception")
each_slot = pytest.mark.parametrize("slot", SLOTS)

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
    """Any text is kept as it is, for an invocation that was never stored too."""
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


@pytest.mark.parametrize(("slot", "mib"), [("result", 50), ("exception", 17)])
def test_a_huge_value_comes_back_and_makes_room_for_a_word(
    pynenc_state_backend: PytestStateBackend, slot: str, mib: int
) -> None:
    """A value of many MiB is kept whole, and a small one that follows replaces all of it."""
    # Not of one letter, and not of a length that any chunk size divides.
    huge = "0123456789\0\U0001f389" * (mib * 2**20 // 15) + "end"
    _set(pynenc_state_backend, slot, "invocation", huge)
    is_whole = _get(pynenc_state_backend, slot, "invocation") == huge
    _set(pynenc_state_backend, slot, "invocation", "small")
    assert (is_whole, _get(pynenc_state_backend, slot, "invocation")) == (True, "small")


@each_slot
def test_the_last_write_wins(pynenc_state_backend: PytestStateBackend, slot: str) -> None:
    """A slot holds one value: the last that was written, the empty text too."""
    for text in ("first", "a longer second one", "", "last"):
        _set(pynenc_state_backend, slot, "invocation", text)
    assert _get(pynenc_state_backend, slot, "invocation") == "last"


@each_slot
def test_nothing_stored_is_a_key_error(pynenc_state_backend: PytestStateBackend, slot: str) -> None:
    """Where an invocation ended without a result, pynenc relies on KeyError."""
    _set(pynenc_state_backend, slot, "other", "text")
    with pytest.raises(KeyError):
        _get(pynenc_state_backend, slot, "invocation")


@each_slot
def test_the_other_slot_stays_empty(pynenc_state_backend: PytestStateBackend, slot: str) -> None:
    """A result is no exception, and an exception no result."""
    (other,) = set(SLOTS) - {slot}
    _set(pynenc_state_backend, slot, "invocation", "text")
    with pytest.raises(KeyError):
        _get(pynenc_state_backend, other, "invocation")


def test_both_slots_keep_their_own_value(pynenc_state_backend: PytestStateBackend) -> None:
    """An invocation that failed and then succeeded has both."""
    for slot in SLOTS:
        _set(pynenc_state_backend, slot, "invocation", f"the {slot}")
    stored = [_get(pynenc_state_backend, slot, "invocation") for slot in SLOTS]
    assert stored == ["the result", "the exception"]


@pytest.mark.parametrize(
    "value", [None, 0, "", False, [], "text", 1.5, [1, None, {"key": ["ä", "\0"]}]], ids=repr
)
def test_a_result_comes_back(pynenc_state_backend: PytestStateBackend, value: Any) -> None:
    """The public writer and reader keep any value of the app's serializer, None too."""
    pynenc_state_backend.set_result("invocation", value)
    assert pynenc_state_backend.get_result("invocation") == value


def test_a_missing_public_result_is_a_key_error(pynenc_state_backend: PytestStateBackend) -> None:
    """A stored exception does not count as a result."""
    pynenc_state_backend.set_exception("invocation", ValueError("failed"))
    with pytest.raises(KeyError):
        pynenc_state_backend.get_result("invocation")


def test_a_missing_public_exception_is_a_key_error(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A stored result does not count as an exception."""
    pynenc_state_backend.set_result("invocation", "fine")
    with pytest.raises(KeyError):
        pynenc_state_backend.get_exception("invocation")


@pytest.mark.parametrize("error", [ValueError("ä", 3), KeyError("key"), RuntimeError()], ids=repr)
def test_an_exception_is_returned_with_type_and_arguments(
    pynenc_state_backend: PytestStateBackend, error: Exception
) -> None:
    """An exception comes back as an exception that is not raised."""
    pynenc_state_backend.set_exception("invocation", error)
    found = pynenc_state_backend.get_exception("invocation")
    assert (type(found), found.args) == (type(error), error.args)


def test_an_error_of_pynenc_comes_back_with_its_fields(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """They travel in their JSON form, not as pickled arguments."""
    error = InvocationNotFoundError("missing", "a message")
    pynenc_state_backend.set_exception("invocation", error)
    found = pynenc_state_backend.get_exception("invocation")
    assert (type(found), vars(found)) == (type(error), vars(error))
