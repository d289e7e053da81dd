"""Values larger than a document may be: whole or not at all, and nothing left of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.models.call_dto import CallDTO

from pytest_pynenc_state.backends.mongo.chunks import ChunkPrefix
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections, key
from pytest_pynenc_state.conformance.making import new_pair
from pytest_pynenc_state.conformance.together import HANG_GUARD_S, in_threads
from pytest_pynenc_state.errors import BackendError
from tests.backends.mongo.workers import die_while_writing_a_result, incompressible
from tests.backends.workers import AppAddress

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.mongo.state_backend import PytestMongoStateBackend

pytestmark = pytest.mark.pynenc_backends("mongomock", "mongo")

MEGABYTE = 10**6
THRESHOLD = 1000


@pytest.fixture
def pynenc_config() -> dict[str, Any]:
    """Values of more than a thousand bytes are large, except where a test says otherwise."""
    return {"mongo_chunk_threshold": THRESHOLD}


def _chunks(backend: PytestMongoStateBackend) -> int:
    return Documents(backend._database, StateBackendCollections.CHUNKS).count({})


@pytest.mark.parametrize("size", [THRESHOLD - 1, THRESHOLD, THRESHOLD + 1])
def test_a_value_is_in_chunks_only_above_the_threshold(
    pynenc_state_backend: PytestMongoStateBackend, size: int
) -> None:
    """On both sides of the threshold it comes back to the letter."""
    pynenc_state_backend._set_result("invocation", "ä" + "x" * (size - 2))
    found = pynenc_state_backend._get_result("invocation")
    assert (found, _chunks(pynenc_state_backend)) == (
        "ä" + "x" * (size - 2),
        1 if size > THRESHOLD else 0,
    )


def test_a_result_larger_than_a_message_comes_back(
    pynenc_state_backend: PytestMongoStateBackend,
) -> None:
    """Of a text that cannot be compressed to fit into one document."""
    text = incompressible(50 * MEGABYTE)
    pynenc_state_backend._set_result("invocation", text)
    is_same = pynenc_state_backend._get_result("invocation") == text
    assert (is_same, _chunks(pynenc_state_backend) > 2) == (True, True)


@pytest.mark.parametrize("after", ["small", "large " * THRESHOLD])
def test_overwriting_leaves_no_chunk_of_the_former_value(
    pynenc_state_backend: PytestMongoStateBackend, after: str
) -> None:
    """Neither when the new value is small, nor when it has chunks of its own."""
    pynenc_state_backend._set_exception("invocation", "x" * 5000)
    pynenc_state_backend._set_exception("invocation", after)
    found = pynenc_state_backend._get_exception("invocation")
    left = int(len(after) > THRESHOLD)
    assert (found, _chunks(pynenc_state_backend)) == (after, left)


@pytest.mark.parametrize("together", [1, 2])
def test_replaced_arguments_leave_no_chunk(
    pynenc_app: Pynenc, pynenc_state_backend: PytestMongoStateBackend, together: int
) -> None:
    """Written alone or with others: the former arguments' chunks are removed."""
    invocation, large_call = new_pair(pynenc_app, {"left": "x" * 5000})
    small = (invocation, CallDTO(large_call.call_id, {"left": "1"}))
    others = [new_pair(pynenc_app) for _ in range(together - 1)]
    pynenc_state_backend._upsert_invocations([(invocation, large_call)])
    before = _chunks(pynenc_state_backend)
    pynenc_state_backend._upsert_invocations([small, *others])
    stored = pynenc_state_backend._get_invocation(invocation.invocation_id)
    assert (before, stored, _chunks(pynenc_state_backend)) == (1, small, 0)


def test_a_purge_takes_chunks_of_this_app_only(
    pynenc_app_factory: Callable[..., Pynenc],
) -> None:
    """The same invocation of an app in the same database keeps its own."""
    one, other = (pynenc_app_factory(name).state_backend for name in ("one", "other"))
    for backend in (one, other):
        backend._set_result("invocation", "x" * 5000)
    before = _chunks(one)
    one.purge()
    kept = other._get_result("invocation")
    assert (before, _chunks(one), kept) == (2, 1, "x" * 5000)


@pytest.mark.parametrize("chunks", [1, 3])
def test_a_kill_between_two_chunks_leaves_the_former_value(
    pynenc_state_backend: PytestMongoStateBackend,
    address: AppAddress,
    started: Callable[..., Any],
    chunks: int,
) -> None:
    """Of five chunks, of which only some were written: the first value is still there.

    What the killed process left is removed by the next purge.
    """
    pynenc_state_backend._set_result("invocation", "the former one")
    arguments = (address, "invocation", chunks)
    process, pipe = started(die_while_writing_a_result, *arguments)
    assert pipe.recv() == "killed"
    process.join(HANG_GUARD_S)
    found, left = pynenc_state_backend._get_result("invocation"), _chunks(pynenc_state_backend)
    pynenc_state_backend.purge()
    assert (found, left, _chunks(pynenc_state_backend)) == ("the former one", chunks, 0)


def test_a_reader_never_sees_half_a_value(
    pynenc_state_backend: PytestMongoStateBackend,
) -> None:
    """While two others overwrite it again and again, it reads one of theirs, whole."""
    texts = {"a" * 5000, "b" * 7000}
    pynenc_state_backend._set_result("invocation", min(texts))
    is_done = threading.Event()

    def write(text: str) -> set[str]:
        for _ in range(60):
            pynenc_state_backend._set_result("invocation", text)
        is_done.set()
        return set()

    def read() -> set[str]:
        seen = set()
        while not is_done.is_set():
            seen.add(pynenc_state_backend._get_result("invocation"))
        return seen

    readers = [read, read]
    seen = set().union(*in_threads([*(lambda text=text: write(text) for text in texts), *readers]))
    assert (seen <= texts, _chunks(pynenc_state_backend)) == (True, 1)


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that has something done once, just before or after a write.

    It takes the name of the method of `Documents`, that of the collection, and what to do.
    """

    def set_up(name: str, collection: str, interruption: Callable[[], Any]) -> None:
        original = getattr(Documents, name)
        left = [interruption]

        def interrupted(documents: Documents, *arguments: Any) -> Any:
            outcome = original(documents, *arguments)
            if documents._name == collection and left:
                left.pop()()
            return outcome

        monkeypatch.setattr(Documents, name, interrupted)

    return set_up


def test_a_value_is_purged_that_is_named_after_its_chunks_are_gone(
    pynenc_state_backend: PytestMongoStateBackend, interrupt: Callable[..., None]
) -> None:
    """It counts as written before: there is neither half of it nor an error for ever."""
    interrupt("insert", StateBackendCollections.CHUNKS, pynenc_state_backend.purge)
    pynenc_state_backend._set_result("invocation", "x" * 5000)
    with pytest.raises(KeyError):
        pynenc_state_backend._get_result("invocation")
    assert _chunks(pynenc_state_backend) == 0


def test_a_value_is_purged_that_is_named_just_before_its_chunks_go(
    pynenc_state_backend: PytestMongoStateBackend, interrupt: Callable[..., None]
) -> None:
    """Its chunks were there when the purge began, and its name came after all others went."""
    stored = pynenc_state_backend._chunks._stored(ChunkPrefix.RESULT, "x" * 5000)
    app_id = pynenc_state_backend.app.app_id
    document = {"_id": key(app_id, "invocation"), "app_id": app_id, "value": stored}
    results = Documents(pynenc_state_backend._database, StateBackendCollections.RESULTS)
    interrupt("delete", StateBackendCollections.RESULTS, lambda: results.insert([document]))
    pynenc_state_backend.purge()
    with pytest.raises(KeyError):
        pynenc_state_backend._get_result("invocation")
    assert _chunks(pynenc_state_backend) == 0


def test_a_value_is_whole_that_is_written_during_a_purge(
    pynenc_state_backend: PytestMongoStateBackend, interrupt: Callable[..., None]
) -> None:
    """Between the purge of its document and that of chunks, which were there before."""

    def write() -> None:
        pynenc_state_backend._set_result("invocation", "x" * 5000)

    pynenc_state_backend._set_result("invocation", "y" * 5000)
    interrupt("delete", StateBackendCollections.RESULTS, write)
    pynenc_state_backend.purge()
    found = pynenc_state_backend._get_result("invocation")
    assert (found, _chunks(pynenc_state_backend)) == ("x" * 5000, 1)


def test_a_value_that_was_overwritten_does_not_come_back(
    pynenc_state_backend: PytestMongoStateBackend, interrupt: Callable[..., None]
) -> None:
    """Its writer finds its own chunks gone: somebody wrote another value since."""

    def overwrite() -> None:
        pynenc_state_backend._set_result("invocation", "later " * 1000)

    interrupt("exchange", StateBackendCollections.RESULTS, overwrite)
    pynenc_state_backend._set_result("invocation", "earlier " * 1000)
    found = pynenc_state_backend._get_result("invocation")
    assert (found, _chunks(pynenc_state_backend)) == ("later " * 1000, 1)


def test_a_value_that_lost_a_chunk_is_an_error(
    pynenc_state_backend: PytestMongoStateBackend,
) -> None:
    """Somebody else removed it: that is said, instead of half a value or none."""
    pynenc_state_backend._set_result("invocation", "x" * 5000)
    Documents(pynenc_state_backend._database, StateBackendCollections.CHUNKS).delete({})
    with pytest.raises(BackendError, match="has lost some of its chunks"):
        pynenc_state_backend._get_result("invocation")
