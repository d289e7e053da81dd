"""Readers and writers at once: whatever is written meanwhile, no read fails or repeats itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.conformance.areas import AREAS, ORCHESTRATOR_AREAS, STATE_AREAS, Area
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    at,
    new_history,
    new_invocation,
    new_workflow,
)
from pytest_pynenc_state.conformance.together import eager_switching, for_a_while, in_threads

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# For each kind of thing: a whole round of writing takes a part of it, and so does a reading, unless
# it waits for something.
_RACE_S = 0.03
_LEAST_READINGS = 5
_READERS = _WRITERS = 2


def _read_while_others_write(
    app: Pynenc, areas: Mapping[str, Area], purge: Callable[[], None]
) -> None:
    """Read each area again and again while other threads write to it, and purge it."""
    for name, area in areas.items():
        ended: list[str] = []

        def write(area: Area = area, ended: list[str] = ended) -> None:
            while len(ended) < _READERS:
                for number in range(1, 9):
                    area.write(app, number)
                purge()

        def read(area: Area = area, name: str = name, ended: list[str] = ended) -> None:
            try:
                for_a_while(lambda: area.read(app), _RACE_S, _LEAST_READINGS)
            except Exception as error:
                error.add_note(f"while reading {name!r}")
                raise
            finally:
                ended.append(name)

        with eager_switching():
            in_threads([*[write] * _WRITERS, *[read] * _READERS])


@clause("SB-THR-03", hint="read from a snapshot: a transaction, or a copy made under the lock")
def readers_of_the_state_never_stumble_over_writers(pynenc_app: Pynenc) -> None:
    """Whatever other threads write to the state backend or purge, no read raises an error."""
    _read_while_others_write(pynenc_app, STATE_AREAS, pynenc_app.state_backend.purge)


@clause("OR-THR-05", hint="read from a snapshot: a transaction, or a copy made under the lock")
def readers_of_the_orchestrator_never_stumble_over_writers(pynenc_app: Pynenc) -> None:
    """Whatever other threads write to the orchestrator or purge, no read raises an error."""
    _read_while_others_write(pynenc_app, ORCHESTRATOR_AREAS, pynenc_app.orchestrator.purge)


def _items(batches: Iterator[Any]) -> Iterator[Any]:
    return itertools.chain.from_iterable(batches)


def _new_type(app: Pynenc, number: int) -> None:
    """Store the run of a workflow of a type of its own."""
    app.state_backend.store_workflow_run(new_workflow(f"function_{number}"))


def _new_earlier_record(app: Pynenc, number: int) -> None:
    """Add a record that comes before all others, by its time and by its invocation's id."""
    record = new_history(f"invocation {9 - number}", at(-number))
    app.state_backend._add_histories([record.invocation_id], record)


_RANGE = (at(-9), at(0))

# What returns an iterator: what adds a further item to it, and what begins it.
_Iterator = tuple[Callable[[Any, int], object], Callable[[Any], Iterator[Any]]]

_STATE_ITERATORS: dict[str, _Iterator] = {
    "children": (
        AREAS["children"].write,
        lambda app: app.state_backend.get_child_invocations("parent"),
    ),
    "invocations of a workflow": (
        AREAS["invocations of a workflow"].write,
        lambda app: app.state_backend.get_invocation_ids_by_workflow("workflow"),
    ),
    "history in a range": (
        _new_earlier_record,
        lambda app: map(repr, _items(app.state_backend.iter_history_in_timerange(*_RANGE, 1))),
    ),
    "invocations in a range": (
        _new_earlier_record,
        lambda app: _items(app.state_backend.iter_invocations_in_timerange(*_RANGE, 1)),
    ),
    "workflow types": (_new_type, lambda app: app.state_backend.get_all_workflow_types()),
    "workflow runs": (_new_type, lambda app: app.state_backend.get_all_workflow_runs()),
    "workflow runs of a type": (
        lambda app, _: app.state_backend.store_workflow_run(new_workflow("function")),
        lambda app: app.state_backend.get_workflow_runs(new_workflow("function").workflow_type),
    ),
    "invocations inside a workflow": (
        AREAS["invocations inside a workflow"].write,
        lambda app: app.state_backend.get_workflow_sub_invocations("workflow"),
    ),
    "matching runner contexts": (
        AREAS["matching runner contexts"].write,
        lambda app: map(repr, app.state_backend.get_matching_runner_contexts("token")),
    ),
}

_ORCHESTRATOR_ITERATORS: dict[str, _Iterator] = {
    "invocations of a task": (
        AREAS["invocations of a task"].write,
        lambda app: app.orchestrator.get_task_invocation_ids(new_invocation(app).call.task.task_id),
    ),
    "invocations of a call": (
        AREAS["invocations of a call"].write,
        lambda app: app.orchestrator.get_call_invocation_ids(
            new_invocation(app, arguments={"left": "1"}).call.call_id
        ),
    ),
    "existing invocations": (
        AREAS["indexed arguments"].write,
        lambda app: app.orchestrator.get_existing_invocations(
            new_invocation(app).call.task, {"left": "1"}
        ),
    ),
    "awaited invocations": (
        AREAS["awaited invocations"].write,
        lambda app: app.orchestrator.blocking_control.get_blocking_invocations(99),
    ),
}


def _write_while_reading(app: Pynenc, name: str, iterator_of: _Iterator) -> None:
    """Add something after each of the first items; the items from before come, each once."""
    write, begin = iterator_of
    for number in range(1, 6):
        write(app, number)
    there_before = set(begin(app))
    iterator = begin(app)
    items = [*itertools.islice(iterator, 1)]
    for number in range(6, 9):
        write(app, number)
        items += itertools.islice(iterator, 1)
    items += iterator
    # Whether what is added comes as well, pynenc does not say.
    assert (name, there_before - set(items)) == (name, set())
    assert (name, len(items)) == (name, len(set(items)))


@clause("SB-THR-04", hint="read all at once or page by a key; no live view, and no OFFSET")
def an_iterator_of_the_state_goes_on_while_its_reader_writes(pynenc_app: Pynenc) -> None:
    """What is written between two items of an iterator neither ends it nor repeats an item."""
    for name, iterator_of in _STATE_ITERATORS.items():
        _write_while_reading(pynenc_app, name, iterator_of)
        pynenc_app.state_backend.purge()


@clause("OR-THR-06", hint="read all at once or page by a key; no live view, and no OFFSET")
def an_iterator_of_the_orchestrator_goes_on_while_its_reader_writes(pynenc_app: Pynenc) -> None:
    """What is written between two ids of an iterator neither ends it nor repeats an id."""
    for name, iterator_of in _ORCHESTRATOR_ITERATORS.items():
        _write_while_reading(pynenc_app, name, iterator_of)
        pynenc_app.orchestrator.purge()
