"""Running a test once on each of its backends, next to pytest's own marker ``parametrize``."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.markers import check_app_marker
from pytest_pynenc_state.selection import chosen_backends, leaves_unshared_out, none_fits
from pytest_pynenc_state.session import state_of

# Where those fixtures are ours which are to be given backends.
_OURS = {"pytest_pynenc_state.fixtures", "pytest_pynenc_state.conformance.selected"}


# A usage error, which pytest does not want subclassed, that it also knows how to report
# from within a collection: without a traceback through itself.
class MarkerError(pytest.UsageError, pytest.Collector.CollectError):  # type: ignore[misc]
    """A marker cannot be used."""


def parametrize_backends(metafunc: pytest.Metafunc, fixture: str) -> None:
    """Let a test that uses *fixture* run on each of its backends.

    :param fixture: ``pynenc_backend``; or ``backend_under_test`` of the conformance suite; or
        ``pynenc_runner``, if that does not lead to a backend.
    :raises MarkerError: A marker of the test cannot be used.
    """
    _refuse_direct_names(metafunc)
    if fixture == "pynenc_runner":
        return
    if _is_parametrized(metafunc, fixture) or _is_overridden(metafunc, fixture):
        return
    state = state_of(metafunc.config)
    try:
        check_app_marker(metafunc.definition)
        has_runner = "pynenc_runner" in metafunc.fixturenames
        needs_shared = has_runner and leaves_unshared_out(state.options)
        chosen, reasons = chosen_backends(metafunc.definition, state, needs_shared=needs_shared)
    except OptionsError as error:
        message = f"{metafunc.definition.nodeid}: {error}"
        raise MarkerError(message) from error
    parameters = [pytest.param(name, id=name) for name in chosen]
    if not parameters:
        skip = pytest.mark.skip(reason=none_fits(reasons))
        parameters = [pytest.param(state.options.backend[0], id="none", marks=skip)]
    metafunc.parametrize(fixture, parameters, indirect=True)


def _is_overridden(metafunc: pytest.Metafunc, fixture: str) -> bool:
    """Whether the author of the test has a fixture of that name, which does not build on ours."""
    # The closest is the last; pytest itself complains if there is none.
    return any(
        getattr(closest.func, "__module__", "") not in _OURS and fixture not in closest.argnames
        for closest in metafunc._arg2fixturedefs.get(fixture, ())[-1:]
    )


def _is_parametrized(metafunc: pytest.Metafunc, fixture: str) -> bool:
    markers = metafunc.definition.iter_markers("parametrize")
    return any(fixture in _argnames(marker) for marker in markers)


def _refuse_direct_names(metafunc: pytest.Metafunc) -> None:
    """Refuse names of backends or runners that would be given to a test in place of the fixture.

    Without a runner, its tasks would wait for ever; without a place, where the app always runs.

    :raises MarkerError: ``indirect=True`` was forgotten.
    """
    for marker in metafunc.definition.iter_markers("parametrize"):
        indirect = (marker.kwargs.get("indirect", False), *marker.args[2:3])[-1]
        for fixture in ("pynenc_runner", "pynenc_backend"):
            if indirect is True or fixture in (indirect or ()):
                continue
            if any(isinstance(value, str) for value in _parameters(marker, fixture)):
                message = f"{metafunc.definition.nodeid}: {fixture!r} is parametrized with names"
                remedy = f"add indirect=[{fixture!r}], so that the fixture gets them"
                raise MarkerError(str(OptionsError(message, remedy)))


def _parameters(marker: pytest.Mark, fixture: str) -> list[object]:
    """The values that *marker* gives to *fixture*."""
    names = _argnames(marker)
    argnames = marker.kwargs.get("argnames", marker.args[0] if marker.args else ())
    rows = marker.kwargs.get("argvalues", marker.args[1] if len(marker.args) > 1 else ())
    # What can be read only once is left to pytest, and so are rows that fit no names.
    if fixture not in names or not isinstance(rows, Sequence):
        return []
    is_single = isinstance(argnames, str) and len(names) == 1
    param = type(pytest.param())
    at = slice(names.index(fixture), names.index(fixture) + 1)
    values: list[object] = []
    for row in rows:
        if isinstance(row, param):
            values += row.values[at]
        elif is_single:
            values.append(row)
        elif isinstance(row, Sequence):
            values += row[at]
    return values


def _argnames(marker: pytest.Mark) -> list[str]:
    names = marker.kwargs.get("argnames", marker.args[0] if marker.args else ())
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    return list(names)
