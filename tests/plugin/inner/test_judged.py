"""Tests whose histories are good, bad, or not at their end."""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ARG001
# Written as the author of an application would, without annotations.

from __future__ import annotations

import office
import pytest

pytestmark = pytest.mark.pynenc(app="office:app")


def succeed_and_fail():
    """Have an invocation with a result and an exception, as a broken store might leave it."""
    invocation = office.add(1, 2)
    assert invocation.result == 3
    office.app.state_backend.set_exception(invocation.invocation_id, ValueError("both"))


def test_all_is_well(pynenc_runner):
    """End what it began."""
    assert office.add(1, 2).result == 3


def test_something_is_left_unfinished(pynenc_app):
    """Register what nobody runs."""
    office.add(1, 2)


def test_a_rule_is_broken(pynenc_runner):
    """Pass, and leave a history that cannot be."""
    succeed_and_fail()


@pytest.mark.pynenc_no_history_check
def test_a_rule_is_broken_on_purpose(pynenc_runner):
    """Say so."""
    succeed_and_fail()


def test_a_rule_is_broken_and_the_test_fails(pynenc_runner):
    """Fail for another reason, too."""
    succeed_and_fail()
    pytest.fail("for another reason")


def test_it_fails(pynenc_runner):
    """Fail with some histories."""
    assert office.add(1, 2).result == 3
    assert office.add(2, 3).result == 4


def test_the_app_is_not_used(pynenc_app):
    """Fail without any history."""
    pytest.fail("without any history")


def test_the_store_is_broken(pynenc_app, monkeypatch):
    """Fail, on a store that cannot be read."""
    office.add(1, 2)

    def broken(*_, **__):
        message = "disk on fire"
        raise OSError(message)

    monkeypatch.setattr(pynenc_app.state_backend, "iter_history_in_timerange", broken)
    pytest.fail("first of all")


@pytest.fixture
def late(pynenc_app):
    """Fail when the test has ended well."""
    yield
    pytest.fail("too late")


def test_its_teardown_fails(late, pynenc_runner):
    """Pass, with a history."""
    assert office.add(1, 2).result == 3
