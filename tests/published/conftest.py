"""pynenc-mongo as it was published, with its own classes and driver, on our loopback server.

The suites are those that pynenc ships for authors of backends, and pynenc-mongo's authors
run them on a real server. That they pass here shows that our server answers as one does.

The driver is older than what our server itself needs, so that the server runs with the
interpreter of another environment, named by ``PYNENC_SERVER_PYTHON``.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynenc import Pynenc
from pynenc.builder import PynencBuilder
from pynenc_tests.conftest import reset_mock_classes

__all__ = ["reset_mock_classes"]  # a fixture of every test, which resets pynenc's mocks

_SERVER = ("-m", "pytest_pynenc_state.backends.mongo.server", "--lease")

# Hang guards: a runner ends within its loop's pause, the server at once.
_DEADLINE_S = 10.0

_numbers = itertools.count(1)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder to runs that have it as their root."""
    return None if config.rootpath == Path(__file__).parent else True


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a server for all tests of this process."""
    command = (os.environ["PYNENC_SERVER_PYTHON"], *_SERVER)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        yield f"mongodb://127.0.0.1:{port}"
        process.stdin.close()
        assert process.wait(_DEADLINE_S) == 0


@pytest.fixture
def app_instance(server: str) -> Iterator[Pynenc]:
    """An app of which all components are pynenc-mongo's, in a database of its own."""
    number = next(_numbers)
    before = set(threading.enumerate())
    app = PynencBuilder().app_id(f"app-{number}").mongo(url=f"{server}/test_{number}").build()
    yield app
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("pymongo"):
            continue
        thread.join(_DEADLINE_S)
