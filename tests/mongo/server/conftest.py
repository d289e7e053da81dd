"""One server in a process of its own for the whole run, and clients that know nothing of it."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection as PymongoCollection
from pymongo.database import Database as PymongoDatabase

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = MongoClient[Document]
Database: TypeAlias = PymongoDatabase[Document]
Collection: TypeAlias = PymongoCollection[Document]

COMMAND = (sys.executable, "-m", "pytest_pynenc_state.backends.mongo.server")

# Hang guards: far beyond what any of these needs.
_TIMEOUT_MS = 20_000
_END_S = 20

_numbers = itertools.count()


@dataclass(frozen=True)
class RunningServer:
    """A server that ends with `process`'s standard input."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"mongodb://127.0.0.1:{self.port}/?serverSelectionTimeoutMS={_TIMEOUT_MS}"


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@contextmanager
def running_server() -> Iterator[RunningServer]:
    """A server of one's own."""
    command = [*COMMAND, "--lease"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            line = json.loads(process.stdout.readline())
            assert line["pid"] == process.pid
            yield RunningServer(process, line["port"])
        finally:
            process.stdin.close()
            _wait_or_kill(process)


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """The server of this run."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def client(server: RunningServer) -> Iterator[Client]:
    """A client of the run's server."""
    with MongoClient[Document](server.url, tz_aware=True) as connected:
        yield connected


@pytest.fixture
def database(client: Client) -> Iterator[Database]:
    """A database of the test's own."""
    name = f"test_{next(_numbers)}"
    yield client[name]
    client.drop_database(name)


@pytest.fixture
def collection(database: Database) -> Collection:
    """A collection of the test's own."""
    return database["things"]
