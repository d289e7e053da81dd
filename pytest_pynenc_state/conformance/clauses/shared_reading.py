"""What one process has written, and what another one may see of it while it is being written."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_pynenc_state.conformance import workers
from pytest_pynenc_state.conformance.areas import AREAS, purge
from pytest_pynenc_state.conformance.clause import Level, clause
from pytest_pynenc_state.conformance.clauses.races import check_raced
from pytest_pynenc_state.conformance.making import at, new_history
from pytest_pynenc_state.processes.racing import Races

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.state_backend.base_state_backend import BaseStateBackend

# Larger than what any driver or page holds in one piece.
_LARGE = 2_000_000
_TEXTS = ("a" * _LARGE, "b" * 10, "c" * _LARGE, "d" * 2000)


@clause(
    "BE-RAC-01",
    level=Level.PROCESS,
    hint="return from a write when others can read it; keep no cache of what others may change",
)
def a_write_is_visible_when_it_returns(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Once a write has returned in one process, another one that has read before reads it."""
    for name, area in AREAS.items():
        assert (name, area.read(pynenc_app)) == (name, area.nothing)
        check_raced(pynenc_race(workers.write_area, n=1, args=(name, 2)))
        assert (name, area.read(pynenc_app)) == (name, area.expected(2))
        purge(pynenc_app)


@clause(
    "SB-RAC-01",
    level=Level.PROCESS,
    hint="replace all pieces of a value in one transaction, or switch to the new ones at once",
)
def nobody_reads_half_a_result(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Who reads a result that others overwrite gets one of those written, and all of it."""
    invocation_id = "overwritten"
    pynenc_app.state_backend._set_result(invocation_id, _TEXTS[0])
    race = pynenc_race(workers.overwrite_result, n=3, args=(invocation_id, _TEXTS, 12))
    check_raced(race)
    found = set(chain.from_iterable(race.values))
    assert {f"{text[0]} x {len(text)}" for text in found - set(_TEXTS)} == set()


@clause(
    "SB-RAC-02",
    level=Level.PROCESS,
    hint="append records; do not read a history, add to it and write it back",
)
def no_record_of_a_history_is_lost(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Records that several processes add to one history are all there, each once."""
    race = pynenc_race(
        workers.append_history, args=("shared",), each=[(writer, 40) for writer in range(4)]
    )
    check_raced(race)
    found = [record.runner_context_id for record in pynenc_app.state_backend.get_history("shared")]
    assert sorted(found) == sorted(f"{writer}-{n}" for writer in range(4) for n in range(40))


@clause(
    "SB-RAC-03",
    level=Level.PROCESS,
    hint="index children one by one; do not read a list of them and write it back",
)
def no_child_is_lost(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Children of one parent that several processes store are all found, each once."""
    race = pynenc_race(
        workers.upsert_children, args=("parent",), each=[(writer, 25) for writer in range(4)]
    )
    check_raced(race)
    found = list(pynenc_app.state_backend.get_child_invocations("parent"))
    assert sorted(found) == sorted(f"child-{writer}-{n}" for writer in range(4) for n in range(25))


@clause(
    "SB-RAC-04",
    level=Level.PROCESS,
    hint="page by key, not by offset, or read a snapshot",
)
def a_range_can_be_read_while_others_write(
    pynenc_state_backend: BaseStateBackend,  # type: ignore[type-arg]
    pynenc_race: Races,
) -> None:
    """Reading a range while others add to it skips no earlier record and repeats none."""
    before = [f"before-{number}" for number in range(40)]
    for number, context_id in enumerate(before):
        record = new_history("read", at(5 * number), runner_context_id=context_id)
        pynenc_state_backend._add_histories(["read"], record)
    race = pynenc_race(
        workers.write_while_one_reads, args=("read",), each=[(0, 8), (1, 2000), (2, 2000)]
    )
    check_raced(race)
    for reading in race.values[0]:
        assert len(reading) == len(set(reading)), "a record was repeated"
        assert [each for each in reading if each.startswith("before")] == before
