"""Records that threads write, as in stores of pynenc up to 0.2.0: reading waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.history.reading import HistoryReader
from pytest_pynenc_state.history.stored import read_histories
from tests.history.storing import move, registered

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# Hang guard: somebody waits for them at once.
TIMEOUT_S = 30.0
# For what is there, or never comes.
SHORT_S = 0.05

PENDING, RUNNING = InvocationStatus.PENDING, InvocationStatus.RUNNING

pytestmark = pytest.mark.usefixtures("background")


@pytest.fixture
def background(pynenc_app: Pynenc, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let records be written in threads, as stores of pynenc up to 0.2.0 do, and late.

    They are written once somebody waits for them.
    """
    backend, threads, is_awaited = pynenc_app.state_backend, list[Thread](), Event()
    write = backend.add_history

    def write_late(*record: Any) -> None:
        is_awaited.wait(TIMEOUT_S)
        write(*record)

    def add_history(*record: Any) -> None:
        threads.append(Thread(target=write_late, args=record))
        threads[-1].start()

    def wait(*_: object) -> None:
        is_awaited.set()
        for thread in threads:
            thread.join()

    monkeypatch.setattr(backend, "add_history", add_history)
    monkeypatch.setattr(backend, "wait_for_all_async_operations", wait, raising=False)
    monkeypatch.setattr(backend, "wait_for_invocation_async_operations", wait, raising=False)
    yield
    wait()


def test_records_that_threads_are_to_write_are_waited_for(pynenc_app: Pynenc) -> None:
    """Also where there is no status that would tell what is missing."""
    invocation_id = registered(pynenc_app)
    move(pynenc_app, invocation_id, PENDING, RUNNING)
    pynenc_app.orchestrator.purge()

    (stored,) = read_histories(pynenc_app, SHORT_S)

    assert stored.history.statuses == ("registered", "pending", "running")


def test_one_history_is_read_with_what_threads_are_to_write(pynenc_app: Pynenc) -> None:
    """At once, however long reading may wait."""
    invocation_id = registered(pynenc_app)
    move(pynenc_app, invocation_id, PENDING, RUNNING)

    history = HistoryReader(pynenc_app, SHORT_S)(invocation_id)

    assert history.statuses == ("registered", "pending", "running")
