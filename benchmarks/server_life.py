"""Servers of our own, started and stopped the way a test run does it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns

import psutil
from pymongo import MongoClient

from benchmarks.measuring import Series
from pytest_pynenc_state.backends.mongo.connection import Document, close_clients, get_client
from pytest_pynenc_state.backends.mongo.lease import acquire

_COMMAND = (sys.executable, "-P", "-m", "pytest_pynenc_state.backends.mongo.server", "--lease")
_HANG_GUARD = "socketTimeoutMS=60000"


@dataclass(frozen=True)
class RunningServer:
    """Where a server is, and how large; *client* is this process's own."""

    url: str
    client: MongoClient[Document]
    process: psutil.Process

    @property
    def resident_mb(self) -> float:
        """Its resident set size."""
        return float(self.process.memory_info().rss / 1e6)


@dataclass
class Life:
    """What servers took to start, up to their first answer, to stop, and to be there.

    :ivar empty_mb: Resident set size of a server that stores nothing.
    :ivar full_mb: That of one that stores all that is measured here, in the end.
    """

    start: Series = field(default_factory=Series)
    stop: Series = field(default_factory=Series)
    empty_mb: float = 0.0
    full_mb: float = 0.0

    @contextmanager
    def live(self, folder: Path) -> Iterator[RunningServer]:
        """Run a server by way of *folder*, and note how long its start and its stop took."""
        started_ns = perf_counter_ns()
        lease = acquire(folder, _COMMAND, _is_never_asked)
        url = f"mongodb://127.0.0.1:{lease.port}"
        client = get_client(f"{url}/?{_HANG_GUARD}")
        try:
            client.admin.command("ping")
            self.start.times_us.append((perf_counter_ns() - started_ns) / 1000)
            yield RunningServer(url, client, psutil.Process(lease.pid))
        finally:
            close_clients()
            stopped_ns = perf_counter_ns()
            # Nobody else uses the server: it has ended when this returns.
            lease.release()
            self.stop.times_us.append((perf_counter_ns() - stopped_ns) / 1000)


def measured_life(directory: Path, lives: int) -> Life:
    """Start and stop *lives* servers, one after the other, after one that does not count."""
    with Life().live(directory / "first"):
        life = Life()
    for number in range(lives):
        with life.live(directory / f"life-{number}") as server:
            life.empty_mb = server.resident_mb
    return life


def _is_never_asked(_port: int) -> bool:
    return False
