"""Apps on one place have nothing in common; a purge takes all of one, and nothing of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_pynenc_state.conformance.areas import AREAS, purge
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import LOOK_ALIKES, new_context

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.conformance.making import StateBackend


@clause(
    "BE-ISO-01", hint="put all of the app's id, or a hash of all of it, into each key or table name"
)
def an_app_sees_nothing_of_others(
    pynenc_app: Pynenc, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """What one app stores, no other app on the same place reads, however much ids look alike."""
    first, *others = (pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES)
    others.append(pynenc_app)
    for name, area in AREAS.items():
        area.write(first, 3)
        found = {app.app_id: area.read(app) for app in others}
        assert (name, found) == (name, dict.fromkeys(found, area.nothing))
        purge(first)


@clause("BE-ISO-02", hint="the app's id belongs into primary keys and unique indexes too")
def apps_do_not_overwrite_each_other(pynenc_app_factory: Callable[..., Pynenc]) -> None:
    """Of what several apps store under the same keys, each app reads its own."""
    apps = {number: pynenc_app_factory(app_id=LOOK_ALIKES[number]) for number in (1, 2)}
    for name, area in AREAS.items():
        for number, app in apps.items():
            area.write(app, number)
        found = {number: area.read(app) for number, app in apps.items()}
        assert (name, found) == (name, {number: area.expected(number) for number in apps})
        for app in apps.values():
            purge(app)


@clause("BE-PUR-01", hint="see what the purges of both components forget to remove")
def a_purge_takes_everything(pynenc_app: Pynenc) -> None:
    """After a purge, nothing of any kind is left of an app."""
    left = {}
    for name, area in AREAS.items():
        area.write(pynenc_app, 3)
        purge(pynenc_app)
        left[name] = area.read(pynenc_app)
    assert left == {name: area.nothing for name, area in AREAS.items()}


@clause("BE-PUR-02", hint="remove what has the app's id, not what is in the table")
def a_purge_takes_nothing_of_other_apps(pynenc_app_factory: Callable[..., Pynenc]) -> None:
    """A purge of one app leaves all that other apps on the same place have stored."""
    purged, other = (pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES[:2])
    for name, area in AREAS.items():
        area.write(purged, 1)
        area.write(other, 3)
        purge(purged)
        assert (name, area.read(other)) == (name, area.expected(3))
        purge(other)


@clause("BE-PUR-03", hint="a purge finds nothing to do where nothing is; that is no error")
def a_purge_may_be_repeated(pynenc_app: Pynenc) -> None:
    """Purging an app that has stored nothing, or that was purged before, is no error."""
    for _ in range(2):
        purge(pynenc_app)
    for area in AREAS.values():
        area.write(pynenc_app, 1)
    for _ in range(2):
        purge(pynenc_app)
    assert pynenc_app.state_backend._get_invocation("invocation") is None


@clause("BE-PUR-04", hint="a purge removes data, not what is needed to store more of it")
def a_purged_app_can_be_used_again(pynenc_app: Pynenc) -> None:
    """What an app stores after a purge is there, as if it was stored for the first time."""
    for name, area in AREAS.items():
        area.write(pynenc_app, 2)
        purge(pynenc_app)
        area.write(pynenc_app, 2)
        assert (name, area.read(pynenc_app)) == (name, area.expected(2))
        purge(pynenc_app)


@clause("BE-PUR-05", hint="clear the cache of runner contexts that the base class keeps")
def a_purge_forgets_cached_runner_contexts(pynenc_state_backend: StateBackend) -> None:
    """After a purge, the public reader finds no runner context either."""
    runner_context = new_context()
    pynenc_state_backend.store_runner_context(runner_context)
    pynenc_state_backend.purge()
    found = (
        pynenc_state_backend.get_runner_context(runner_context.runner_id),
        pynenc_state_backend.get_runner_contexts([runner_context.runner_id]),
    )
    assert found == (None, [])


@clause("BE-PUR-06", hint="the base class does not store what its cache holds: clear that in purge")
def a_context_stored_after_a_purge_reaches_the_store(pynenc_state_backend: StateBackend) -> None:
    """A runner context that is stored before a purge and again after it is in the store."""
    runner_context = new_context()
    for _ in range(2):
        pynenc_state_backend.purge()
        pynenc_state_backend.store_runner_context(runner_context)
    assert pynenc_state_backend._get_runner_contexts([runner_context.runner_id]) == [runner_context]
