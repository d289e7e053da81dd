"""Connections: bytes in, whole messages to the commands, answers out.

All connections are served by one event loop in one thread, and a command never waits for
anything. That is what makes every command atomic; there are no locks.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import cast

from pytest_pynenc_state.backends.mongo.server.dispatch import answer
from pytest_pynenc_state.backends.mongo.server.server import Server
from pytest_pynenc_state.backends.mongo.server.wire import (
    HEADER_BYTES,
    ProtocolError,
    message_length,
    parsed,
)

#: There are no users and no passwords: nobody but this machine may connect.
HOST = "127.0.0.1"


class Connection(asyncio.Protocol):
    """One client's connection.

    :param connection_id: Its number, which the client is told.
    """

    _transport: asyncio.Transport

    def __init__(self, server: Server, connection_id: int) -> None:
        self._server = server
        self._id = connection_id
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write to; asyncio has set TCP_NODELAY."""
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        """Read no more commands from a client that does not fetch its answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Answer all messages that are complete; close the connection of who sends others."""
        self._received += data
        try:
            while len(self._received) >= HEADER_BYTES:
                length = message_length(self._received)
                if len(self._received) < length:
                    return
                message = bytes(self._received[:length])
                del self._received[:length]
                self._answer(message)
        except ProtocolError:
            self._transport.close()

    def _answer(self, message: bytes) -> None:
        reply = answer(self._server, parsed(message), self._id)
        if reply is not None:
            self._transport.write(reply)


async def listen(server: Server) -> asyncio.Server:
    """Accept connections to *server* on a free port of this machine."""
    numbers = itertools.count(1)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(server, next(numbers)), HOST, 0)
