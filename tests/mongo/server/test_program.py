"""The server as a program: how it starts, what it prints, and when it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from pymongo import MongoClient

from tests.mongo.server.conftest import COMMAND, running_server

_TIMEOUT_S = 20  # a hang guard


def test_by_hand_it_prints_its_url_and_listens_on_this_machine_only() -> None:
    """Whoever starts it copies the line into a program."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with MongoClient(url) as client:
            answer = client.admin.command("ping")
        sockets = psutil.Process(process.pid).net_connections()
        process.terminate()

    assert answer == {"ok": 1.0}
    assert re.fullmatch(r"mongodb://127\.0\.0\.1:\d+", url)
    listening = {kept.laddr.ip for kept in sockets if kept.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """Also while clients are connected."""
    with running_server() as server, MongoClient(server.url) as client:
        client.admin.command("ping")
        server.process.send_signal(number)

        assert server.process.wait(_TIMEOUT_S) == 0


def test_with_a_lease_it_ends_with_its_standard_input() -> None:
    """However the holder of the lease ended; clients may be connected."""
    with running_server() as server, MongoClient(server.url) as client:
        client.admin.command("ping")
        assert server.process.stdin is not None
        server.process.stdin.write(b"what is written means nothing")
        server.process.stdin.flush()
        assert client.admin.command("ping") == {"ok": 1.0}
        server.process.stdin.close()

        assert server.process.wait(_TIMEOUT_S) == 0


def finished(*command: str, stdin: IO[str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run *command* to its end, without an input unless *stdin* is given."""
    given: dict[str, Any] = {"input": ""} if stdin is None else {"stdin": stdin}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, **given
    )


def test_with_a_lease_it_prints_one_line() -> None:
    """The holder reads one line and never looks again."""
    leased = finished(*COMMAND, "--lease")

    (line,) = leased.stdout.splitlines()
    assert set(json.loads(line)) == {"port", "pid"}
    assert (leased.returncode, leased.stderr) == (0, "")


def test_a_lease_needs_an_input_that_can_end() -> None:
    """A file has no holder."""
    with Path(os.devnull).open() as nothing:
        refused = finished(*COMMAND, "--lease", stdin=nothing)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "needs a pipe as standard input" in refused.stderr


def test_help_tells_what_it_is() -> None:
    """And what the lease is for."""
    helped = finished(*COMMAND, "--help")

    assert helped.returncode == 0
    assert "MongoDB server for tests" in helped.stdout
    assert "--lease" in helped.stdout


def test_the_variable_that_mongomock_reads_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It often holds a URL, which is no version of MongoDB."""
    monkeypatch.setenv("MONGODB", "mongodb://elsewhere")
    program = (
        "from pytest_pynenc_state.backends.mongo.server.__main__ import main; main(['--lease'])\n"
        "import mongomock; print(mongomock.SERVER_VERSION)"
    )

    assert finished(sys.executable, "-c", program).stdout.splitlines()[1] == "5.0.5"


@pytest.mark.parametrize("library", ["mongomock", "pymongo"])
def test_a_missing_library_is_named_with_its_remedy(library: str) -> None:
    """In one line."""
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from pytest_pynenc_state.backends.mongo.server.__main__ import main; sys.exit(main([]))"
    )
    refused = finished(sys.executable, "-c", program)

    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert line.endswith("is missing: pip install 'pytest-pynenc-state[mongo]'")
