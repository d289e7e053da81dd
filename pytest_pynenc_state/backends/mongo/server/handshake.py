"""Commands by which drivers get to know the server, and keep in touch with it."""

from __future__ import annotations

import datetime as dt

from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError
from pytest_pynenc_state.backends.mongo.server.server import Handler, Reply, Request, Server
from pytest_pynenc_state.backends.mongo.server.wire import MAX_DOCUMENT_BYTES, MAX_MESSAGE_BYTES

#: The most statements of one insert, update or delete command.
MAX_STATEMENTS = 100_000

#: The commands that an old driver may send as an OP_QUERY.
HELLO = frozenset({"hello", "isMaster", "ismaster"})

# What mongomock imitates; the wire version is that of this release.
_VERSION = (5, 0, 5, 0)
_MAX_WIRE_VERSION = 13

_SESSION_MINUTES = 30


def _hello(_server: Server, request: Request) -> Reply:
    # A standalone: no set name, so that drivers send no transaction numbers with retryable
    # writes; no topology version, so that they poll; no compression.
    return {
        "helloOk": True,
        "ismaster": True,
        "isWritablePrimary": True,
        "maxBsonObjectSize": MAX_DOCUMENT_BYTES,
        "maxMessageSizeBytes": MAX_MESSAGE_BYTES,
        "maxWriteBatchSize": MAX_STATEMENTS,
        "localTime": dt.datetime.now(dt.UTC),
        # Without it drivers refuse to start a session.
        "logicalSessionTimeoutMinutes": _SESSION_MINUTES,
        "connectionId": request.connection_id,
        "minWireVersion": 0,
        "maxWireVersion": _MAX_WIRE_VERSION,
        "readOnly": False,
    }


def _build_info(_server: Server, _request: Request) -> Reply:
    return {
        "version": ".".join(map(str, _VERSION[:3])),
        "versionArray": list(_VERSION),
        "gitVersion": "mongomock",
        "modules": [],
        "bits": 64,
        "debug": False,
        "maxBsonObjectSize": MAX_DOCUMENT_BYTES,
    }


def _nothing(_server: Server, _request: Request) -> Reply:
    # Sessions hold nothing here, so there is nothing to refresh or end.
    return {}


def _refuse_login(_server: Server, _request: Request) -> Reply:
    message = "this server has no users; leave user name and password out of the URL"
    raise CommandError(Code.AuthenticationFailed, message)


def _refuse_transaction(_server: Server, _request: Request) -> Reply:
    message = "Transaction numbers are only allowed on a replica set member or mongos"
    raise CommandError(Code.IllegalOperation, message)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(HELLO, _hello),
    **dict.fromkeys(("buildInfo", "buildinfo"), _build_info),
    **dict.fromkeys(
        ("ping", "endSessions", "killSessions", "refreshSessions", "killAllSessions"), _nothing
    ),
    **dict.fromkeys(("saslStart", "saslContinue", "authenticate", "getnonce"), _refuse_login),
    **dict.fromkeys(("commitTransaction", "abortTransaction"), _refuse_transaction),
}
