"""Run the server: ``python -m pytest_pynenc_state.backends.mongo.server``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence

_PROGRAM = "python -m pytest_pynenc_state.backends.mongo.server"

_DESCRIPTION = """\
A MongoDB server for tests: MongoDB's wire protocol over an in-memory mongomock store.
It listens on a free port of 127.0.0.1, asks for no password, and forgets everything when
it ends. What it cannot do as MongoDB does, it refuses.
"""

_WRONG_USE = 2
_READ_BYTES = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT, SIGTERM or, with ``--lease``, the end of standard input.

    :returns: The exit code.
    """
    options = _parser().parse_args(arguments)
    # mongomock would take it for the version of MongoDB to imitate.
    os.environ.pop("MONGODB", None)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not by the event loop: it would wait for the end of a slow command.
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        asyncio.run(_serve(lease=options.lease))
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is missing: pip install 'pytest-pynenc-state[mongo]'")
    except PermissionError:
        return _fail("--lease needs a pipe as standard input, whose end it can wait for")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=_DESCRIPTION)
    parser.add_argument(
        "--lease",
        action="store_true",
        help='print {"port": N, "pid": N} instead of a URL, and end with standard input',
    )
    return parser


def _fail(message: str) -> int:
    print(f"{_PROGRAM}: {message}", file=sys.stderr)  # noqa: T201 - a program's output
    return _WRONG_USE


async def _serve(*, lease: bool) -> None:
    # Imported here: both need libraries that may be missing.
    from pytest_pynenc_state.backends.mongo.server import storage
    from pytest_pynenc_state.backends.mongo.server.cursors import Cursors
    from pytest_pynenc_state.backends.mongo.server.namespaces import Namespaces
    from pytest_pynenc_state.backends.mongo.server.server import Server
    from pytest_pynenc_state.backends.mongo.server.transport import listen

    listener = await listen(Server(Namespaces(storage.open_client), Cursors()))
    host, port = listener.sockets[0].getsockname()
    ended = asyncio.Event()
    if lease:
        _watch_standard_input(ended)
        line = json.dumps({"port": port, "pid": os.getpid()})
    else:
        line = f"mongodb://{host}:{port}"
    print(line, flush=True)  # noqa: T201 - a program's output
    await ended.wait()


def _watch_standard_input(ended: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if not os.read(descriptor, _READ_BYTES):
            loop.remove_reader(descriptor)
            ended.set()

    loop.add_reader(descriptor, read)


if __name__ == "__main__":
    sys.exit(main())
