"""The servers that published backends need, started for a run and ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tests.published.conformance import redis_server

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.mongo.lease import Lease
    from pytest_pynenc_state.report.contents import ConformanceReport

_MONGOMOCK = ("-P", "-m", "pytest_pynenc_state.backends.mongo.server", "--lease")

# The driver of pynenc-mongo is older than what the server needs, and they share no environment.
_SERVER_PYTHON = "PYNENC_SERVER_PYTHON"
_MONGOMOCK_VERSION = "from importlib.metadata import version; print(version('mongomock'))"


# The package is imported where it is used: runs of the folder above load this module, too, and
# leave its tests out, in an environment that does not have the package.


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder to runs that have it as their root."""
    return None if config.rootpath == Path(__file__).parent else True


@pytest.hookimpl(optionalhook=True)
def pytest_pynenc_report(report: ConformanceReport) -> None:
    """Add the versions of what the backends rest on to those that are reported anyway."""
    found = {}
    for name in ("redis", "rustvello"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    if "redis" in found and redis_server.is_installed():
        # It says "Redis server v=7.0.15 sha=...".
        found["Redis server"] = _printed(redis_server.PROGRAM, "--version").split()[2][2:]
    if python := os.environ.get(_SERVER_PYTHON):
        found["mongomock"] = _printed(python, "-c", _MONGOMOCK_VERSION)
    # A plain dict, from which the files are written afterwards.
    cast("dict[str, str]", report.versions).update(found)


def _printed(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def redis_port(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The port of a Redis server that all workers of the run share."""
    if not redis_server.is_installed():
        message = f"{redis_server.PROGRAM} is not installed here"
        raise _unavailable(message, "install it: apt-get install redis-server")
    command = (sys.executable, "-P", redis_server.__file__)
    lease = _leased(request, tmp_path_factory, command, redis_server.answers)
    yield lease.port
    lease.release()


@pytest.fixture(scope="session")
def pynenc_mongomock_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of our mongomock server, run by the interpreter of another environment."""
    python = os.environ.get(_SERVER_PYTHON)
    if python is None:
        message = f"the variable {_SERVER_PYTHON} names no interpreter for the mongomock server"
        raise _unavailable(message, "set it to one that has pytest-pynenc-state[mongo]")
    lease = _leased(request, tmp_path_factory, (python, *_MONGOMOCK), _mongo_answers)
    yield f"mongodb://127.0.0.1:{lease.port}"
    lease.release()


def _unavailable(message: str, remedy: str) -> Exception:
    from pytest_pynenc_state.errors import BackendUnavailable

    return BackendUnavailable(message, remedy)


def _leased(
    request: pytest.FixtureRequest,
    factory: pytest.TempPathFactory,
    command: tuple[str, ...],
    answers: Callable[[int], bool],
) -> Lease:
    """A share in the server of the run that *command* starts."""
    from pytest_pynenc_state.backends.mongo.lease import acquire
    from pytest_pynenc_state.session import state_of

    folder = state_of(request.config).run_directory(factory) / str(request.fixturename)
    return acquire(folder, command, answers)


def _mongo_answers(port: int) -> bool:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        with MongoClient(port=port, serverSelectionTimeoutMS=3000) as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True
