"""Paths as they are written: what they are equal to, how they look, what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.errors import PathError
from pytest_pynenc_state.history.path import MOST_STATES, Path, one_of, path, repeat, step
from tests.history.builders import RUNNER, history, record
from tests.history.tracebacks import files_shown

ONCE = ("registered", "pending", "running", "success")
RETRIED = ("registered", "pending", "running", "retry", *ONCE[1:])

#: Paths of every kind, as they are written.
WRITTEN = [
    "path('registered', 'pending')",
    "path('registered', ..., 'success')",
    "path(...)",
    "path(step('running', owner='runner-1', within_s=2.0))",
    "path(step('registered', owner=None), step('pending', within_s=0))",
    "path('registered', repeat(path('pending', 'retry'), min=1, max=3), repeat(...))",
    "path('registered', repeat('pending', max=0), one_of('success', path('retry', ...)))",
]


def test_a_history_equals_the_path_it_takes_from_both_sides() -> None:
    charge = history(*ONCE)

    assert charge == path(*ONCE)
    assert path(*ONCE) == charge
    assert not charge != path(*ONCE)  # noqa: SIM202 - the operator is what is tested
    assert not path(*ONCE) != charge  # noqa: SIM202 - as above


def test_a_history_differs_from_another_path_from_both_sides() -> None:
    charge = history(*ONCE)

    assert charge != path(*RETRIED)
    assert path(*RETRIED) != charge
    assert not charge == path(*RETRIED)  # noqa: SIM201 - the operator is what is tested
    assert not path(*RETRIED) == charge  # noqa: SIM201 - as above


@pytest.mark.parametrize("other", [ONCE, list(ONCE), "registered", None, ...])
def test_a_path_equals_nothing_but_histories_and_paths(other: object) -> None:
    assert path(*ONCE) != other


@pytest.mark.parametrize("written", WRITTEN)
def test_a_path_looks_like_the_code_that_made_it(written: str) -> None:
    made = evaluated(written)

    assert repr(made) == written
    assert evaluated(repr(made)) == made


@pytest.mark.parametrize("written", WRITTEN)
def test_equal_paths_have_one_hash_and_others_are_unequal(written: str) -> None:
    others = [evaluated(other) for other in WRITTEN if other != written]

    assert hash(evaluated(written)) == hash(evaluated(written))
    assert evaluated(written) not in others


def test_a_path_cannot_be_changed() -> None:
    made = path(*ONCE)

    with pytest.raises(AttributeError, match="items"):
        made.items = ()  # type: ignore[misc]


def test_a_path_goes_to_other_processes() -> None:
    made = evaluated(WRITTEN[3])

    assert pickle.loads(pickle.dumps(made)) == made


def test_a_status_is_written_as_pynenc_writes_it_or_as_its_member() -> None:
    assert path(InvocationStatus.RUNNING) == path("running")
    assert step(InvocationStatus.RUNNING, owner=RUNNER) == step("running", owner=RUNNER)


def test_one_path_may_be_part_of_many() -> None:
    attempt = path("pending", "running")

    assert history(*ONCE) == path("registered", attempt, "success")
    assert history(*RETRIED) == path("registered", attempt, "retry", attempt, "success")


def test_a_long_path_of_one_status_after_another_is_no_problem() -> None:
    steps = ["registered", *["pending", "running", "retry"] * 3000]

    assert history(*steps) == path(*steps)


@pytest.mark.parametrize("make", [path, one_of, step, repeat])
@pytest.mark.parametrize(("typo", "meant"), [("runing", "running"), ("SUCCESS", "success")])
def test_an_unknown_status_is_refused_at_once_with_the_one_that_was_meant(
    make: Any, typo: str, meant: str
) -> None:
    with pytest.raises(PathError, match=f"no status '{typo}'\n- did you mean '{meant}'"):
        make(typo)


@pytest.mark.parametrize("make", [path, one_of, repeat])
@pytest.mark.parametrize("item", [3, None, b"running", {"running"}, history(*ONCE), path])
def test_what_is_no_item_is_refused(make: Any, item: object) -> None:
    with pytest.raises(PathError, match=rf"^{make.__name__}\(\) takes names of statuses.*; got "):
        make(item)


def test_a_sequence_of_statuses_is_to_be_unpacked() -> None:
    with pytest.raises(PathError, match=r"- unpack it: path\(\*statuses\)"):
        path(ONCE)  # type: ignore[arg-type]


def test_a_record_is_to_be_given_as_its_status() -> None:
    with pytest.raises(PathError, match=r"- give the record's status: record\.status"):
        path(record("registered"))  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [path, one_of])
def test_nothing_at_all_is_refused(make: Any) -> None:
    with pytest.raises(PathError, match=rf"^{make.__name__}\(\) needs at least one item"):
        make()


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min": -1}, "min is a whole number from 0 on; got -1"),
        ({"max": -1}, "max is a whole number from 0 on; got -1"),
        ({"max": 2.0}, r"max is a whole number from 0 on; got 2\.0"),
        ({"min": True}, "min is a whole number from 0 on; got True"),
        ({"min": 3, "max": 2}, "min is at most max; got min=3, max=2"),
    ],
)
def test_impossible_bounds_are_refused(bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(PathError, match=message):
        repeat("retry", **bounds)


@pytest.mark.parametrize("owner", [3, "", ("runner-1",), object])
def test_an_owner_that_is_no_runner_id_is_refused(owner: Any) -> None:
    with pytest.raises(PathError, match=r"^step\('running'\): owner is a runner_id, or None"):
        step("running", owner=owner)


@pytest.mark.parametrize("within_s", [-0.1, "2", float("nan"), float("inf"), True])
def test_a_time_that_is_no_duration_is_refused(within_s: Any) -> None:
    with pytest.raises(PathError, match=r"^step\('running'\): within_s is a number of seconds"):
        step("running", within_s=within_s)


@pytest.mark.parametrize("status", [None, 3, path("running")])
def test_a_step_of_no_status_is_refused(status: Any) -> None:
    with pytest.raises(PathError, match=r"^step\(\) takes the name of a status; got "):
        step(status)


def test_repetitions_that_multiply_beyond_measure_are_refused_before_they_do() -> None:
    huge = 10**9
    with pytest.raises(PathError, match=r"multiplies to 2,000,000,000 steps; 100,000 is the limit"):
        repeat("pending", max=huge)
    thousand = repeat("pending", min=1000, max=1000)
    with pytest.raises(PathError, match="multiplies to 1,001,001 steps"):
        repeat(thousand, min=1000)
    with pytest.raises(PathError, match=r"^path\(.*\.\.\.\) multiplies to 101,000 steps"):
        path(*[thousand] * 101)
    with pytest.raises(PathError, match=r"^one_of\(.*\.\.\.\) multiplies to 101,001 steps"):
        one_of(*[thousand] * 101)


def test_the_largest_path_still_compares() -> None:
    largest = path("registered", repeat("pending", min=MOST_STATES - 3))

    assert history("registered", "pending") != largest


@pytest.mark.parametrize(
    "write",
    [
        lambda: path("registered", "runing"),
        lambda: path("registered", ["running"]),
        lambda: path(*()),
        lambda: one_of("running", "runing"),
        lambda: repeat("runing"),
        lambda: repeat("running", min=2, max=1),
        lambda: repeat("running", max=10**9),
        lambda: step("runing"),
        lambda: step(path("running")),  # type: ignore[arg-type]
        lambda: step("running", owner=""),
    ],
)
def test_what_is_refused_is_shown_where_it_was_written(write: Callable[[], object]) -> None:
    """Not how it was found out: nobody has to read our code for that."""
    with pytest.raises(PathError) as caught:
        write()

    assert files_shown(caught) == ["test_path.py"] * 2


def evaluated(written: str) -> Path:
    """Return the path that the code *written* makes."""
    words = {"path": path, "step": step, "one_of": one_of, "repeat": repeat}
    made = eval(written, words)  # noqa: S307 - written above
    assert isinstance(made, Path)
    return made
