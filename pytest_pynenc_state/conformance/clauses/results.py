"""Results and exceptions: what is written comes back; two slots, in each the last write wins."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pynenc.exceptions import InvocationNotFoundError

from pytest_pynenc_state.conformance.clause import clause

if TYPE_CHECKING:
    from pytest_pynenc_state.conformance.making import StateBackend

_TEXTS = {
    "empty": "",
    "blank": " \r\n\t ",
    "NUL": "\0before\0\0after\0",
    "emoji": "\U0001f389\U0001f468\u200d\U0001f469 ä a\u0308 漢字",
    "quotes": 'it\'s "quoted"; DROP TABLE x; -- ? %s {} \\',
    "not JSON": "{'key': ",
    "looks like bytes": "b'\\xff'",
    "number": "007",
}

_VALUES: tuple[Any, ...] = (None, 0, "", False, [], "text", 1.5, [1, None, {"key": ["ä", "\0"]}])
_MISSING = "KeyError"


def _huge() -> str:
    """Return 20 megabytes that compress badly, in no round number of chunks."""
    noise = random.Random(20240229).randbytes(15_000_000)  # noqa: S311 - the same in every run
    return base64.b64encode(noise).decode() + "end"


def _error(message: str) -> str:
    """An exception as text, in the form that pynenc writes, of any size.

    pynenc puts large arguments of most exceptions elsewhere, but not those of its own.
    """
    error = InvocationNotFoundError("invocation", message)
    form = {"error_name": type(error).__name__, "pynenc_error": True, "error_data": error.to_json()}
    return json.dumps(form)


def _message(backend: StateBackend, serialized: str) -> str:
    message: str = vars(backend.deserialize_exception(serialized))["message"]
    return message


def _or_missing(read: Callable[[str], Any], invocation_id: str) -> Any:
    try:
        return read(invocation_id)
    except KeyError:
        return _MISSING


def _slots(backend: StateBackend) -> dict[str, tuple[Callable[..., None], Callable[..., str]]]:
    """What writes and reads the text of each of the two slots."""
    return {
        "result": (backend._set_result, backend._get_result),
        "exception": (backend._set_exception, backend._get_exception),
    }


@clause("SB-RES-01", hint="store text as text: NUL, emoji and the empty string are text")
def the_text_of_a_result_comes_back_to_the_letter(pynenc_state_backend: StateBackend) -> None:
    """The text of a result comes back to the letter, for an invocation that is not stored too."""
    for name, text in _TEXTS.items():
        pynenc_state_backend._set_result(f"invocation {name}", text)
    for name, text in _TEXTS.items():
        found = pynenc_state_backend._get_result(f"invocation {name}")
        assert (name, found) == (name, text)


@clause("SB-RES-02", hint="store the serialized exception as text, whatever its message holds")
def the_text_of_an_exception_comes_back_to_the_letter(pynenc_state_backend: StateBackend) -> None:
    """The message of an exception comes back to the letter, in the form that pynenc serializes."""
    for name, text in _TEXTS.items():
        pynenc_state_backend._set_exception(f"invocation {name}", _error(text))
    for name, text in _TEXTS.items():
        found = pynenc_state_backend._get_exception(f"invocation {name}")
        assert (name, _message(pynenc_state_backend, found)) == (name, text)


@clause("SB-RES-03", hint="split what is larger than your store takes in one piece")
def a_huge_value_comes_back(pynenc_state_backend: StateBackend) -> None:
    """A result of many megabytes comes back whole, and so does an exception."""
    huge = _huge()
    pynenc_state_backend._set_result("invocation", huge)
    pynenc_state_backend._set_exception("invocation", _error(huge))
    exception = pynenc_state_backend._get_exception("invocation")
    # Compared here, not in the assertion, which would print them.
    is_result_whole = pynenc_state_backend._get_result("invocation") == huge
    is_exception_whole = _message(pynenc_state_backend, exception) == huge
    assert (is_result_whole, is_exception_whole) == (True, True)


@clause("SB-RES-04", hint="remove the pieces of the former value when a small one replaces it")
def a_word_replaces_a_huge_value(pynenc_state_backend: StateBackend) -> None:
    """A small result replaces all of a large one, and so does a small exception."""
    huge, small = _error(_huge()), _error("small")
    for name, (write, read) in _slots(pynenc_state_backend).items():
        write("invocation", huge)
        write("invocation", small)
        assert (name, read("invocation")[:1000]) == (name, small)


@clause("SB-RES-05", hint="write by invocation id: replace what is there")
def the_last_write_wins(pynenc_state_backend: StateBackend) -> None:
    """An invocation has one result and one exception: those that were written last."""
    texts = [_error(message) for message in ("first", "a longer second one", "", "last")]
    for name, (write, read) in _slots(pynenc_state_backend).items():
        for text in texts:
            write("invocation", text)
        found = _message(pynenc_state_backend, read("invocation"))
        assert (name, found) == (name, "last")


@clause("SB-RES-06", hint="KeyError, not None: pynenc tells an invocation without result by it")
def nothing_stored_is_a_key_error(pynenc_state_backend: StateBackend) -> None:
    """Reading a result, or an exception, that was never written raises KeyError."""
    for name, (write, read) in _slots(pynenc_state_backend).items():
        write("other", _error("text"))
        assert (name, _or_missing(read, "invocation")) == (name, _MISSING)


@clause("SB-RES-07", hint="results and exceptions are two tables, or two columns")
def each_slot_is_empty_until_it_is_written(pynenc_state_backend: StateBackend) -> None:
    """A result is no exception, and an exception no result: the other is still missing."""
    slots = _slots(pynenc_state_backend)
    for name, other in (("result", "exception"), ("exception", "result")):
        write, _ = slots[name]
        _, read_other = slots[other]
        write(f"only a {name}", _error("text"))
        assert (other, _or_missing(read_other, f"only a {name}")) == (other, _MISSING)


@clause("SB-RES-08", hint="writing a result leaves the exception as it is, and the reverse")
def both_slots_keep_their_own_value(pynenc_state_backend: StateBackend) -> None:
    """An invocation can have a result and an exception, each its own."""
    slots = _slots(pynenc_state_backend)
    for name, (write, _) in slots.items():
        write("invocation", _error(name))
    found = {
        name: _message(pynenc_state_backend, read("invocation"))
        for name, (_, read) in slots.items()
    }
    assert found == {"result": "result", "exception": "exception"}


@clause("SB-RES-09", hint="compare invocation ids as they are: no folding, no patterns")
def results_do_not_mix(pynenc_state_backend: StateBackend) -> None:
    """Each invocation has its own result and exception, however much ids look alike."""
    ids = ["inv_1", "inv-1", "INV_1", "inv_10", "inv%"]
    for name, (write, read) in _slots(pynenc_state_backend).items():
        for invocation_id in ids:
            write(invocation_id, _error(invocation_id))
        found = [_message(pynenc_state_backend, read(invocation_id)) for invocation_id in ids]
        assert (name, found) == (name, ids)


@clause("SB-RES-10", hint="a stored None is a result; only what was never stored is missing")
def a_result_comes_back(pynenc_state_backend: StateBackend) -> None:
    """A result comes back as the value it was, None and other empty values included."""
    for value in _VALUES:
        pynenc_state_backend.set_result("invocation", value)
        found = pynenc_state_backend.get_result("invocation")
        assert (type(found), found) == (type(value), value)


@clause("SB-RES-11", hint="get_exception returns an exception; it is pynenc that raises it")
def an_exception_comes_back(pynenc_state_backend: StateBackend) -> None:
    """An exception is returned with its type and its arguments."""
    for error in (ValueError("ä", 3), KeyError("key"), RuntimeError()):
        pynenc_state_backend.set_exception("invocation", error)
        found = pynenc_state_backend.get_exception("invocation")
        assert (type(found), found.args) == (type(error), error.args)


@clause("SB-RES-12", hint="leave the form of exceptions to serialize_exception of the base class")
def an_error_of_pynenc_comes_back(pynenc_state_backend: StateBackend) -> None:
    """An error of pynenc's own is returned with its type and all its fields."""
    error = InvocationNotFoundError("missing", "a message")
    pynenc_state_backend.set_exception("invocation", error)
    found = pynenc_state_backend.get_exception("invocation")
    assert (type(found), vars(found)) == (type(error), vars(error))


@clause("SB-RES-13", hint="let the KeyError of the private reader through")
def a_missing_value_is_a_key_error(pynenc_state_backend: StateBackend) -> None:
    """An exception does not count as a result, nor a result as an exception: KeyError."""
    pynenc_state_backend.set_exception("failed", ValueError("failed"))
    pynenc_state_backend.set_result("succeeded", "fine")
    found = (
        _or_missing(pynenc_state_backend.get_result, "failed"),
        _or_missing(pynenc_state_backend.get_exception, "succeeded"),
    )
    assert found == (_MISSING, _MISSING)


@clause("SB-RES-14", hint="the two methods are each other's reverse; override both or none")
def a_serialized_exception_is_read_back(pynenc_state_backend: StateBackend) -> None:
    """An exception that is serialized and deserialized again keeps its type and arguments."""
    for error in (ValueError("ä", 3), InvocationNotFoundError("missing", "a message")):
        text = pynenc_state_backend.serialize_exception(error)
        found = pynenc_state_backend.deserialize_exception(text)
        assert (type(found), found.args) == (type(error), error.args)
