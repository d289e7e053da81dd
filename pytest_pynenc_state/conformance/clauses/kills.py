"""A process is killed (-9) in the middle of a write, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_pynenc_state.conformance import workers
from pytest_pynenc_state.conformance.areas import purge
from pytest_pynenc_state.conformance.clause import Level, clause
from pytest_pynenc_state.conformance.durable import WRITES
from pytest_pynenc_state.conformance.making import registered
from pytest_pynenc_state.processes.child import Children
from pytest_pynenc_state.processes.racing import Races
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

AppFactory = Callable[..., "Pynenc"]

# After so many writes a process is killed, each time at another kind of write; where others go on
# meanwhile, the last time when it gives a heartbeat, for which many a lock is taken.
_WRITES_BEFORE_THE_END = (1, 8, 30, 70)
_WRITES_BESIDE_OTHERS = (3, 47)

# Hang guard: a process starts in half a second, and writes in milliseconds.
_START_S = 60.0

_TEXTS = ("a" * 1_000_000, "b" * 10, "c" * 3_000_000)


def _lines(journal: Path) -> list[str]:
    """What a process has said to have done; a last line that is not whole is left out."""
    return journal.read_text().split("\n")[:-1] if journal.exists() else []


@clause(
    "BE-KIL-01",
    level=Level.CRASH,
    hint="commit before returning, and into the store: not into a buffer of this process",
)
def nothing_acknowledged_is_lost(
    pynenc_app_factory: AppFactory, pynenc_process: Children, tmp_path: Path
) -> None:
    """Whatever a write had returned for is in the store after its process was killed."""
    kills = _kills_while_writing(pynenc_process, tmp_path, _WRITES_BEFORE_THE_END)
    for count, lines in kills:
        reader = pynenc_app_factory()
        said = [line.partition(" ") for line in lines]
        lost = [
            (number, name)
            for number, _, name in said
            if not all(WRITES[name].traces(reader, int(number)))
        ]
        assert (count, lost) == (count, [])
        purge(reader)


@clause(
    "BE-KIL-02",
    level=Level.CRASH,
    hint="write a row and its indexes in one transaction, or in an order that readers allow for",
)
def what_was_being_written_is_there_or_not(
    pynenc_app_factory: AppFactory, pynenc_process: Children, tmp_path: Path
) -> None:
    """A write that was cut off by a kill is there for every reader, or for none."""
    names = list(WRITES)
    for _, lines in _kills_while_writing(pynenc_process, tmp_path, _WRITES_BEFORE_THE_END):
        reader = pynenc_app_factory()
        number, index = divmod(len(lines), len(names))
        traces = set(WRITES[names[index]].traces(reader, number))
        assert (names[index], len(traces)) == (names[index], 1)
        purge(reader)


@clause(
    "BE-KIL-03",
    level=Level.CRASH,
    hint="hold no lock that its holder alone can release",
)
def others_go_on(
    pynenc_app: Pynenc, pynenc_process: Children, pynenc_race: Races, tmp_path: Path
) -> None:
    """Processes that use the store while another one is killed are neither held up nor refused."""
    for count, _ in _kills_while_writing(pynenc_process, tmp_path, _WRITES_BESIDE_OTHERS):
        (invocation_id,) = registered(pynenc_app)
        race = pynenc_race(workers.increment_retries, n=4, args=(invocation_id, [0] * 20))
        retries = pynenc_app.orchestrator.get_invocation_retries(invocation_id)
        assert (count, [*race.errors], retries) == (count, [], 80)
        purge(pynenc_app)


@clause(
    "SB-KIL-01",
    level=Level.CRASH,
    hint="write the new pieces beside the old ones, and switch at once",
)
def an_overwritten_result_is_the_former_or_the_latter(
    pynenc_app_factory: AppFactory, pynenc_process: Children, tmp_path: Path
) -> None:
    """A result whose overwriting was cut off by a kill is the former one, or the new one."""
    for count in (1, 2, 5, 6):
        journal = tmp_path / f"journal-{count}"
        lines = _killed_after(
            count, pynenc_process, workers.overwrite_until_killed, journal, _TEXTS
        )
        last = len(lines) - 1
        found = pynenc_app_factory().state_backend._get_result("overwritten")
        allowed = [_TEXTS[number % len(_TEXTS)] for number in (last, last + 1)]
        assert found in allowed, f"after {count} writes, {len(found)} characters"


def _kills_while_writing(
    start: Children, folder: Path, counts: Sequence[int]
) -> Iterator[tuple[int, list[str]]]:
    """Kill a process that makes all kinds of writes, once for each count of them."""
    for count in counts:
        journal = folder / f"journal-{count}"
        function = workers.write_until_killed
        yield count, _killed_after(count, start, function, journal, list(WRITES))


def _killed_after(
    count: int, start: Children, function: Callable[..., None], journal: Path, argument: object
) -> list[str]:
    """Let a process write until it has said so often enough; kill it; return what it said."""
    child = start(function, str(journal), argument)
    wait_until(lambda: len(_lines(journal)) >= count or not child.is_alive(), _START_S)
    if not child.is_alive():
        child.result()  # which raises what has ended it
    child.kill()
    lines = _lines(journal)
    assert len(lines) >= count, f"in {_START_S:g} s it wrote {len(lines)} times, not {count}"
    return lines
