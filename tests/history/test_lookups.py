"""Asking for many invocations at once gives what asking for each gives, on every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.making import LOOK_ALIKES, move, new_invocation, registered
from pytest_pynenc_state.history.lookups import Lookups

if TYPE_CHECKING:
    from pynenc.app import Pynenc

#: More than fit into one statement of SQLite.
MANY = 2001


@pytest.fixture
def lookups(pynenc_app: Pynenc) -> Lookups:
    """Return what asks the app under test."""
    return Lookups(pynenc_app)


def stored(app: Pynenc, invocation_id: str, size: int = 1) -> str:
    """Store and register an invocation with an argument of that size."""
    arguments = {"left": "1" * size, "right": "\u00e9\x00"}
    invocation = new_invocation(app, arguments=arguments, invocation_id=invocation_id)
    app.state_backend.upsert_invocations([invocation])
    app.orchestrator._register_new_invocations([invocation])
    return invocation_id


def test_statuses_and_retries_are_those_of_each_invocation(
    pynenc_app: Pynenc, lookups: Lookups
) -> None:
    ids = registered(pynenc_app, 3)
    move(pynenc_app.orchestrator, ids[1], InvocationStatus.PENDING, InvocationStatus.RUNNING)
    pynenc_app.orchestrator.increment_invocation_retries(ids[2])

    assert lookups.states([*ids, "unknown"]) == {
        each: (
            pynenc_app.orchestrator.get_invocation_status_record(each),
            pynenc_app.orchestrator.get_invocation_retries(each),
        )
        for each in ids
    }


@pytest.mark.parametrize("size", [1, 3_000_000], ids=["small", "large"])
def test_invocations_are_those_of_each(pynenc_app: Pynenc, lookups: Lookups, size: int) -> None:
    """Also if their arguments are too large for one document."""
    ids = [stored(pynenc_app, each, size if each == "a-b" else 1) for each in LOOK_ALIKES]

    found = lookups.invocations([*ids, "unknown"])

    assert found == {each: pynenc_app.state_backend._get_invocation(each) for each in ids}
    assert len(found["a-b"][1].serialized_arguments["left"]) == size


def test_who_has_a_result_or_an_exception_is_found(pynenc_app: Pynenc, lookups: Lookups) -> None:
    """Also if it is None, which is a result, too."""
    pynenc_app.state_backend.set_result("a-b", None)
    pynenc_app.state_backend.set_exception("a_b", ValueError("no tea"))

    assert lookups.with_result(LOOK_ALIKES) == {"a-b"}
    assert lookups.with_exception(LOOK_ALIKES) == {"a_b"}


def test_any_number_can_be_asked_for(pynenc_app: Pynenc, lookups: Lookups) -> None:
    ids = [stored(pynenc_app, f"invocation-{number}") for number in (1, 2)]
    pynenc_app.state_backend.set_result("invocation-2", 2)
    asked = [f"invocation-{number}" for number in range(MANY)]

    assert list(lookups.states(asked)) == ids
    assert list(lookups.invocations(asked)) == ids
    assert lookups.with_result(asked) == {"invocation-2"}
    assert lookups.with_exception(asked) == set()


def test_another_app_on_the_same_store_is_not_asked(
    pynenc_app: Pynenc, pynenc_app_factory: type[Pynenc]
) -> None:
    invocation_id = stored(pynenc_app, "same")
    pynenc_app.state_backend.set_result(invocation_id, 1)
    other = Lookups(pynenc_app_factory(app_id="other"))

    assert (other.states(["same"]), other.invocations(["same"])) == ({}, {})
    assert other.with_result(["same"]) == set()
