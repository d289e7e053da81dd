"""Answers on their way back from a child: each is a length, and so many bytes.

They are read as they come, so that no answer keeps its reader longer than the reader likes: what
has come of one so far is kept for whoever reads on.
"""

from __future__ import annotations

import os
import pickle
from multiprocessing.connection import Connection
from struct import Struct
from typing import Any

from pytest_pynenc_state.processes.calling import Answer

_LENGTH = Struct("!Q")

# More than the kernel keeps for a reader who has not come yet.
_READ_BYTES = 1 << 20


def send_answer(connection: Connection[Any, Any], answer: Answer) -> None:
    """Send an answer; return once the last byte is on its way.

    :raises ConnectionError: Nobody is there any more to read it.
    """
    packed = pickle.dumps(answer)
    for part in (_LENGTH.pack(len(packed)), packed):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(connection.fileno(), rest) :]


class Inbox:
    """Reads the answers of one child."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._received = bytearray()

    def read(self) -> Answer | None:
        """Return the next answer if it is complete; otherwise read more of it.

        It waits only if nothing at all has come.

        :raises EOFError: Nothing comes any more.
        :raises ConnectionError: The same.
        """
        more = os.read(self._connection.fileno(), _READ_BYTES)
        if not more:
            raise EOFError
        self._received += more
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        end = _LENGTH.size + length
        if len(self._received) < end:
            return None
        answer: Answer = pickle.loads(self._received[_LENGTH.size : end])  # noqa: S301 - our child
        del self._received[:end]
        return answer
