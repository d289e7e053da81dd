"""What other processes do in the tests of MongoDB. A spawned process imports this module."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.backends.mongo import chunks as chunks_module
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections
from tests.backends.workers import AppAddress

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe


def die_while_writing_a_result(
    address: AppAddress, invocation_id: str, chunks: int, pipe: Pipe
) -> None:
    """Write a result of five small chunks, and be killed once so many are written."""
    size = 10**6
    chunks_module.CHUNK_SIZE = size // 8  # of random digits, half is left when compressed
    backend = address.open().state_backend
    insert = Documents.insert
    written = 0

    def insert_and_die(documents: Documents, new: Any) -> None:
        nonlocal written
        insert(documents, new)
        written += documents._name == StateBackendCollections.CHUNKS
        if written == chunks:
            pipe.send("killed")
            os.kill(os.getpid(), signal.SIGKILL)

    Documents.insert = insert_and_die  # type: ignore[method-assign]
    backend._set_result(invocation_id, incompressible(size))


def incompressible(size: int) -> str:
    """A text of *size* bytes that no compression makes much smaller."""
    return os.urandom(size // 2).hex().ljust(size, "x")
