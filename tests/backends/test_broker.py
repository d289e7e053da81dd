"""Queues: in order, by priority, given to one, and of one app.

pynenc's own SQLite broker keeps the same rules, and so is tested beside ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.exceptions import ConfigError

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.sqlite.broker import PytestSQLiteBroker

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state.processes.racing import Races

pytestmark = pytest.mark.pynenc_backends("sqlite", "pynenc-sqlite")
on_both = pytest.mark.parametrize("pynenc_backend", ["sqlite", "pynenc-sqlite"], indirect=True)
has_queues = pytest.mark.skipif(not compat.HAS_QUEUES, reason="this pynenc has one queue")

# What needs a queue and a priority where pynenc has them.
WHERE: tuple[Any, ...] = ("default", 0.0) if compat.HAS_QUEUES else ()


def taken(app: Pynenc, *queue: str) -> list[str]:
    """All that waits, in the order in which it is given."""
    found = []
    while (invocation_id := app.broker.retrieve_invocation(*queue)) is not None:
        found.append(str(invocation_id))
    return found


def take_all(app: Pynenc) -> list[str]:
    """What one of several processes gets."""
    return taken(app)


@on_both
def test_who_came_first_is_first(pynenc_app: Pynenc) -> None:
    """One by one or in batches; and then there is nothing."""
    broker: Any = pynenc_app.broker
    broker.route_invocation("c", *WHERE)
    broker.route_invocations(["b", "a"], *WHERE)
    broker.route_invocations([], *WHERE)
    broker.route_invocation("b", *WHERE)

    assert broker.count_invocations() == 4
    assert taken(pynenc_app) == ["c", "b", "a", "b"]
    assert (broker.count_invocations(), taken(pynenc_app)) == (0, [])


@on_both
@has_queues
def test_the_highest_priority_of_a_queue_is_first(pynenc_app: Pynenc) -> None:
    """Queues have nothing to do with each other; without a name, the first is meant."""
    broker: Any = pynenc_app.broker
    for invocation_id, queue, priority in [
        ("low", "default", -1.5),
        ("first", "default", 0.0),
        ("other", "reports", 100.0),
        ("second", "default", 0.0),
        ("high", "default", 7.25),
    ]:
        broker.route_invocation(invocation_id, queue, priority)

    assert broker.count_invocations() == 4
    assert broker.count_invocations(["reports", "nothing"]) == 1
    assert broker.count_invocations([]) == 0
    assert taken(pynenc_app, "nothing") == []
    assert taken(pynenc_app) == ["high", "first", "second", "low"]
    assert taken(pynenc_app, "reports") == ["other"]


@on_both
@has_queues
@pytest.mark.parametrize("where", [("no spaces", 0.0), ("default", 1000.0), ("default", "much")])
def test_what_pynenc_refuses_is_refused(pynenc_app: Pynenc, where: tuple[str, Any]) -> None:
    """And nothing is routed."""
    broker: Any = pynenc_app.broker
    with pytest.raises(ConfigError):
        broker.route_invocation("it", *where)
    assert broker.count_invocations() == 0


@on_both
def test_a_purge_is_of_one_app(
    pynenc_app: Pynenc, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """What others wait for stays, and what comes afterwards is given."""
    other: Any = pynenc_app_factory("another app")
    broker: Any = pynenc_app.broker
    broker.route_invocation("mine", *WHERE)
    other.broker.route_invocation("theirs", *WHERE)

    broker.purge()
    broker.route_invocation("next", *WHERE)

    assert taken(pynenc_app) == ["next"]
    assert taken(other) == ["theirs"]


@on_both
def test_each_invocation_is_given_to_one_process(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """None is lost, and none is run twice."""
    broker: Any = pynenc_app.broker
    ids = [f"invocation {number}" for number in range(200)]
    broker.route_invocations(ids, *WHERE)

    race = pynenc_race(take_all, n=4)

    assert race.errors == ()
    assert sorted(chain.from_iterable(race.values)) == sorted(ids)


@pytest.mark.pynenc_backends("sqlite")
def test_any_text_is_an_id(pynenc_app: Pynenc) -> None:
    """Also what is no UTF-8."""
    broker: Any = pynenc_app.broker
    assert isinstance(broker, PytestSQLiteBroker)
    ids = ["", "\x00", "\ud800", "\U0001f600", "x" * 100_000]
    broker.route_invocations(ids, *WHERE)
    assert taken(pynenc_app) == ids


@pytest.mark.pynenc_backends("sqlite")
def test_an_empty_queue_is_looked_into_while_somebody_else_writes(pynenc_app: Pynenc) -> None:
    """A runner that waits for work holds up nobody, and nobody holds it up."""
    broker: Any = pynenc_app.broker
    broker._database.timeout_s = 0.1
    with closing(sqlite3.connect(broker.conf.sqlite_db_path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")

        assert broker.retrieve_invocation() is None
