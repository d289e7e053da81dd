"""Four processes at once: every command is done as if it were alone."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.mongo.server import racer
from tests.mongo.server.conftest import Collection, RunningServer

_RACERS = 4
_TIMEOUT_S = 60  # a hang guard: a race takes less than a second


def race(work: str, server: RunningServer, things: Collection) -> list[list[int]]:
    """Let processes do *work* at the same time; return what each of them printed."""
    script = str(Path(racer.__file__))
    command = [sys.executable, script, work, server.url, things.database.name]
    with ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(_RACERS)
        ]
        for process in racers:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in racers:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(process.communicate(timeout=_TIMEOUT_S)[0]) for process in racers]


def flat(lists: list[list[int]]) -> list[int]:
    """All that the processes got, in order."""
    return sorted(number for numbers in lists for number in numbers)


def test_no_document_is_claimed_twice(server: RunningServer, collection: Collection) -> None:
    """The queue's pop is one command."""
    collection.insert_many([{"number": number, "status": "free"} for number in range(400)])

    claimed = race("claim", server, collection)

    assert flat(claimed) == list(range(400))


def test_a_unique_value_is_accepted_from_one_process(
    server: RunningServer, collection: Collection
) -> None:
    """From exactly one: a refused insert is not there for a moment either."""
    collection.create_index("unique", unique=True)

    accepted = race("insert", server, collection)

    assert flat(accepted) == list(range(racer.ROUNDS))


def test_no_increment_is_lost(server: RunningServer, collection: Collection) -> None:
    """Not even while the counter is being made."""
    seen = race("increment", server, collection)

    assert flat(seen) == list(range(1, _RACERS * racer.ROUNDS + 1))
