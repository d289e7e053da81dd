"""The object under test is what it is said to be: without that, no other clause means anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_pynenc_state.backends.backend import Backend
from pytest_pynenc_state.conformance.areas import AREAS, purge
from pytest_pynenc_state.conformance.building import classes_named, unbuildable_of
from pytest_pynenc_state.conformance.clause import Level, clause

if TYPE_CHECKING:
    from pynenc.app import Pynenc


@clause(
    "BE-SET-01",
    hint="implement the missing methods, or give the package an upper bound on pynenc",
)
def every_component_can_be_built(backend_under_test: Backend) -> None:
    """Each of the five components has every abstract method of the installed pynenc."""
    broken = [str(each) for each in unbuildable_of(backend_under_test).values()]
    assert not broken, "\n".join(broken)


@clause(
    "BE-SET-02",
    hint="a class name must be unique among all that is installed, and nothing may replace it",
)
def the_app_has_the_declared_components(pynenc_app: Pynenc, pynenc_backend: Backend) -> None:
    """An app on a place of the backend has the components that the backend declares."""
    declared = dict(pynenc_backend.components)
    found = {
        field: type(getattr(pynenc_app, field.removesuffix("_cls"))).__name__ for field in declared
    }
    assert found == declared
    for field, name in declared.items():
        homes = {f"{kind.__module__}.{kind.__qualname__}" for kind in classes_named(field, name)}
        assert len(homes) == 1, f"several classes are called {name}: {sorted(homes)}"


@clause(
    "BE-SET-03",
    hint="open_place must lead to a location that nobody has used, and Place.remove must empty it",
)
def a_new_place_is_empty(pynenc_app: Pynenc) -> None:
    """An app on a new place finds nothing of any kind there."""
    found = {name: area.read(pynenc_app) for name, area in AREAS.items()}
    assert found == {name: area.nothing for name, area in AREAS.items()}


@clause(
    "BE-SET-04",
    level=Level.PROCESS,
    hint="Place.values must lead a second app to the same location; or do not claim 'shared'",
)
def a_second_handle_sees_the_same_data(
    pynenc_app: Pynenc, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """What one app has written, a second app of the same id finds, whatever it is."""
    second = pynenc_app_factory()
    assert second is not pynenc_app
    for name, area in AREAS.items():
        area.write(pynenc_app, 3)
        assert (name, area.read(second)) == (name, area.expected(3))
        purge(pynenc_app)
