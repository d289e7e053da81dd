"""Further apps on the place of a test."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import jobs
import office
import pytest


def test_a_second_handle_sees_the_same(pynenc_app, pynenc_app_factory, pynenc_backend):
    """On a shared backend; on another one it is an app of its own."""
    invocation = pynenc_app.task(jobs.greet)("Ada")
    second = pynenc_app_factory()
    second.task(jobs.greet)

    assert second is not pynenc_app
    assert second.app_id == pynenc_app.app_id
    is_shared = "shared" in pynenc_backend.capabilities
    assert second.orchestrator.count_invocations() == (1 if is_shared else 0)
    if is_shared:
        assert second.state_backend.get_invocation(invocation.invocation_id) == invocation


@pytest.mark.pynenc(app="office:app")
@pytest.mark.pynenc_requires("shared")
def test_a_second_handle_of_an_authors_app_sees_the_same(pynenc_app, pynenc_app_factory):
    """Without an id, it is the same app."""
    office.add(1, 2)

    second = pynenc_app_factory()

    assert second is not pynenc_app
    assert second.app_id == "office"
    assert second.orchestrator.count_invocations() == 1


def test_another_app_is_isolated(pynenc_app, pynenc_app_factory):
    """Also if the ids look alike."""
    pynenc_app.task(jobs.greet)("Ada")

    for app_id in ("other", f"{pynenc_app.app_id}-", f"{pynenc_app.app_id}_"):
        other = pynenc_app_factory(app_id)
        assert other.app_id == app_id
        assert other.orchestrator.count_invocations() == 0
        other.state_backend.purge()
        other.orchestrator.purge()

    assert pynenc_app.orchestrator.count_invocations() == 1


def test_components_are_those_of_the_app(pynenc_app, pynenc_state_backend, pynenc_orchestrator):
    """Not equal ones: the very same."""
    assert pynenc_state_backend is pynenc_app.state_backend
    assert pynenc_orchestrator is pynenc_app.orchestrator


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_pending_seconds", 4.0), ("cached_status_time", 5.0), ("print_arguments", False)],
)
@pytest.mark.pynenc(print_arguments=True)
def test_its_values_hold(pynenc_app, pynenc_app_factory, field, value):
    """Also where the test has set another value, and for that app alone."""
    former = getattr(pynenc_app.conf, field)

    further = pynenc_app_factory(**{field: value})

    assert getattr(further.conf, field) == value
    assert getattr(pynenc_app.conf, field) == former != value


def test_a_mistyped_field_is_an_error(pynenc_app_factory):
    """As it is in the marker and in the fixture."""
    with pytest.raises(ValueError, match="did you mean 'max_pending_seconds'"):
        pynenc_app_factory(max_pending_second=4.0)


@pytest.mark.pynenc_backends("sqlite")
def test_a_field_of_the_place_is_an_error(pynenc_app_factory):
    """The further app would leave the place."""
    with pytest.raises(ValueError, match="'sqlite_db_path' belongs to the place"):
        pynenc_app_factory(sqlite_db_path="elsewhere.db")
