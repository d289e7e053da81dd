"""From a message to its answer: which command it is, and that it always gets a reply."""

from __future__ import annotations

from pytest_pynenc_state.backends.mongo.server import (
    catalogue,
    find_and_modify,
    handshake,
    indexes,
    queries,
    refusals,
    writes,
)
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, translated
from pytest_pynenc_state.backends.mongo.server.server import Handler, Reply, Request, Server
from pytest_pynenc_state.backends.mongo.server.wire import (
    MAX_REPLY_BYTES,
    Document,
    Message,
    encoded,
    reply,
)

HANDLERS: dict[str, Handler] = {
    **handshake.HANDLERS,
    **catalogue.HANDLERS,
    **indexes.HANDLERS,
    **queries.HANDLERS,
    **writes.HANDLERS,
    **find_and_modify.HANDLERS,
}


def answer(server: Server, message: Message, connection_id: int) -> bytes | None:
    """Do what *message* asks and return the whole message to answer with.

    :returns: None if the client wants no reply.

    Concurrency: a command is done to its end, or not at all, before the next one begins.
    """
    try:
        document = _finished(_done(server, message, connection_id))
    except Exception as error:  # noqa: BLE001 - a client without an answer would wait for ever
        document = encoded(translated(error).as_reply())
    return reply(message, document) if message.wants_reply else None


def _finished(outcome: Reply) -> bytes:
    document = outcome if isinstance(outcome, bytes) else encoded({**outcome, "ok": 1.0})
    if len(document) > MAX_REPLY_BYTES:
        message = f"the reply has {len(document)} bytes, more than {MAX_REPLY_BYTES}"
        raise CommandError(Code.BSONObjectTooLarge, message)
    return document


def _done(server: Server, message: Message, connection_id: int) -> Reply:
    fields = message.decoded()
    name = next(iter(fields), "")
    if message.is_legacy and not _is_hello(message, name):
        text = f"Unsupported OP_QUERY command: {name}. The client driver may require an upgrade"
        raise CommandError(Code.UnsupportedOpQueryCommand, text)
    handler = HANDLERS.get(name)
    if handler is None:
        raise CommandError(Code.CommandNotFound, f"no such command: '{name}'")
    refusals.check_command(name, fields)
    database = _database(message, fields)
    return handler(server, Request(name, fields, database, connection_id))


def _is_hello(message: Message, name: str) -> bool:
    return name in handshake.HELLO and message.namespace.endswith(".$cmd")


def _database(message: Message, fields: Document) -> str:
    if message.is_legacy:
        return message.namespace.partition(".")[0]
    database = fields.get("$db")
    if not isinstance(database, str):
        raise CommandError(Code.FailedToParse, "OP_MSG requests require a $db argument")
    return database
