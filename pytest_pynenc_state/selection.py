"""Which backends, app and runner a test gets: options, then what its markers say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.hookspecs import OPTIONS
from pytest_pynenc_state.option_values import app_path, near_match
from pytest_pynenc_state.options import LEVELS, RUNNER_KINDS, Options, wants_conformance
from pytest_pynenc_state.session import SessionState, state_of

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Capability

#: What the ids of the suite's tests begin with, where no file of the project has it.
SUITE_NODE = "pynenc-conformance"


# A usage error, which pytest does not want subclassed, that it also knows how to report
# from within a collection: without a traceback through itself.
class MarkerError(pytest.UsageError, pytest.Collector.CollectError):  # type: ignore[misc]
    """A marker cannot be used."""


def check_options(state: SessionState) -> None:
    """Refuse options that name a backend or an app that cannot be had.

    :raises OptionsError: The message names option, value and source.
    """
    options = state.options
    if not options.is_default("backend"):
        for name in options.backend:
            _explained(options, "backend", name, partial(_check_backend, state))
    if options.app is not None:
        _explained(options, "app", options.app, _check_app)


def _check_backend(state: SessionState, name: str) -> None:
    backend = state.backend(name)
    if state.options.fails_on_missing() and (obstacle := backend.obstacle()):
        raise OptionsError(obstacle, *backend.remedies())


def _check_app(app: object) -> None:
    # Imported here, because the rest of this module must not load pynenc.
    from pytest_pynenc_state.apps.pointing import checked_app, load_app
    from pytest_pynenc_state.errors import AppError

    try:
        if isinstance(app, str):
            load_app(app_path(app))
        else:
            checked_app(app, "the value")
    except AppError as error:
        raise OptionsError(error.message, *error.remedies) from error


def _explained(options: Options, option: str, value: str, check: Any) -> None:
    try:
        check(value)
    except OptionsError as error:
        source = options.sources[option]
        message = f"--pynenc-{option} {value!r} (from {source}): {error.message}"
        raise OptionsError(message, *error.remedies) from error


def parametrize_backends(metafunc: pytest.Metafunc, fixture: str) -> None:
    """Let a test that uses *fixture* run on each of its backends.

    :param fixture: ``pynenc_backend``; or ``backend_under_test`` of the conformance suite, which
        a subclass may have overridden; or ``pynenc_runner``, if that does not lead to a backend.
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
        chosen, reasons = _chosen(metafunc.definition, state, _needs_processes(metafunc, state))
    except OptionsError as error:
        message = f"{metafunc.definition.nodeid}: {error}"
        raise MarkerError(message) from error
    parameters = [pytest.param(name, id=name) for name in chosen]
    if not parameters:
        skip = pytest.mark.skip(reason=_none_fits(reasons))
        parameters = [pytest.param(state.options.backend[0], id="none", marks=skip)]
    metafunc.parametrize(fixture, parameters, indirect=True)


def backend_name(request: pytest.FixtureRequest) -> str:
    """The name of the backend that a test runs on: its parameter, or all that is left to it.

    :raises OptionsError: The parameter is no name, or several backends are left.
    """
    name = getattr(request, "param", None)
    if name is None:
        return _only_backend(request)
    if not isinstance(name, str):
        message = f"pynenc_backend: expected the name of a backend, got {name!r}"
        raise OptionsError(message, "write a name, or pkg.mod:attr")
    return name


def _only_backend(request: pytest.FixtureRequest) -> str:
    """The backend of a test that cannot run once on each: the one that is left to it.

    Such are the methods of `unittest.TestCase`, and tests that ask only while they run.

    :raises OptionsError: Several are left, or a marker of the test cannot be used.
    """
    state = state_of(request.config)
    check_app_marker(request.node)
    chosen, reasons = _chosen(request.node, state, _leaves_unshared_out(state.options))
    if not chosen:
        pytest.skip(_none_fits(reasons))
    if len(chosen) > 1:
        message = (
            f"{request.node.nodeid}: pytest runs this test once, so it needs one backend, and has "
            f"{len(chosen)} to run on: {', '.join(chosen)}"
        )
        raise OptionsError(
            message,
            f"mark it, or its class: @pytest.mark.pynenc_backends({chosen[0]!r})",
            f"or select one for the run: --pynenc-backend {chosen[0]}",
            "or make it a plain test function that names the fixture among its arguments",
        )
    return chosen[0]


def _none_fits(reasons: Iterable[str]) -> str:
    return "no selected backend fits: " + "; ".join(reasons)


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


def _is_overridden(metafunc: pytest.Metafunc, fixture: str) -> bool:
    """Whether the test's class has a fixture of that name, and its author wrote it."""
    homes = [kind for kind in getattr(metafunc.cls, "__mro__", ()) if fixture in vars(kind)]
    if not homes:
        return False
    from pytest_pynenc_state.conformance.suite import StateConformance

    return homes[0] is not StateConformance


def _is_parametrized(metafunc: pytest.Metafunc, fixture: str) -> bool:
    markers = metafunc.definition.iter_markers("parametrize")
    return any(fixture in _argnames(marker) for marker in markers)


def _argnames(marker: pytest.Mark) -> list[str]:
    names = marker.kwargs.get("argnames", marker.args[0] if marker.args else ())
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    return list(names)


def _needs_processes(metafunc: pytest.Metafunc, state: SessionState) -> bool:
    """Whether the chosen runner needs a shared backend where nobody insisted on another."""
    return "pynenc_runner" in metafunc.fixturenames and _leaves_unshared_out(state.options)


def _leaves_unshared_out(options: Options) -> bool:
    return options.runner != RUNNER_KINDS[0] and options.is_default("backend")


def _chosen(
    item: Any,
    state: SessionState,
    needs_processes: bool,  # noqa: FBT001 - private
) -> tuple[list[str], list[str]]:
    """The names of the backends *item* runs on, and why it does not run on the others."""
    allowed, excluded = _backends_marker(item, state)
    required = [*_required(item), *_shared(needs_processes)]
    chosen, reasons = [], []
    for name in state.options.backend:
        lacking = state.backend(name).lacks(required)
        if (allowed and name not in allowed) or name in excluded:
            reasons.append(f"{name} is left out by the marker pynenc_backends")
        elif name in state.left_out:
            reasons.append(f"{name} {state.left_out[name]}")
        elif lacking:
            reasons.append(f"{name} lacks {', '.join(lacking)}")
        else:
            chosen.append(name)
    return chosen, reasons


def _backends_marker(item: Any, state: SessionState) -> tuple[Sequence[str], Sequence[str]]:
    marker = item.get_closest_marker("pynenc_backends")
    if marker is None:
        return (), ()

    def signature(*names: str, exclude: str | Iterable[str] = ()) -> tuple[Any, Any]:
        return names, (exclude,) if isinstance(exclude, str) else tuple(exclude)

    names, excluded = _called(marker, signature)
    for name in (*names, *excluded):
        try:
            state.backend(str(name))
        except OptionsError as error:
            message = f"marker pynenc_backends: {name!r}: {error.message}"
            raise OptionsError(message, *error.remedies) from error
    return names, excluded


def _required(item: Any) -> list[Capability]:
    from pytest_pynenc_state.backends.backend import Capability

    known = [capability.value for capability in Capability]
    required = []
    for marker in item.iter_markers("pynenc_requires"):
        for name in _called(marker, lambda *capabilities: capabilities):
            if name not in known:
                message = f"marker pynenc_requires: there is no capability {name!r}"
                raise OptionsError(message, near_match(str(name), known))
            required.append(Capability(name))
    return required


def _shared(needs_processes: bool) -> list[Capability]:  # noqa: FBT001 - private
    from pytest_pynenc_state.backends.backend import Capability

    return [Capability.SHARED] if needs_processes else []


def app_marker(item: Any) -> tuple[Any, dict[str, Any]]:
    """The app and the configuration values that the markers ``pynenc`` give *item*.

    Values of an outer marker (module, class) hold unless an inner one sets them too.
    """
    app: Any = None
    config: dict[str, Any] = {}

    def signature(app: Any = None, **config: Any) -> tuple[Any, dict[str, Any]]:
        return app, config

    for marker in item.iter_markers("pynenc"):  # the closest first
        marked_app, marked_config = _called(marker, signature)
        app = app or marked_app
        config = {**marked_config, **config}
    return app, config


def check_app_marker(item: Any) -> None:
    """Refuse a marker ``pynenc`` whose app or configuration field does not exist.

    :raises OptionsError: The message names the marker and the nearest match.
    """
    app, config = app_marker(item)
    if config:
        from pytest_pynenc_state.apps.configuration import checked_values

        checked_values(config, "marker pynenc")
    if app is not None:
        try:
            _check_app(app)
        except OptionsError as error:
            message = f"marker pynenc(app={app!r}): {error.message}"
            raise OptionsError(message, *error.remedies) from error


class _Clauses:
    """The hook of a run that has the conformance suite added, or clauses left out."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Add the conformance suite if asked to, and leave out clauses above the chosen level."""
        if wants_conformance(config):
            items += conformance_items(session)
        keep_up_to_level(config, items, config.stash[OPTIONS].level)


def select_clauses(config: pytest.Config) -> None:
    """Add the conformance suite to what is collected, if asked to, and keep to the level."""
    if wants_conformance(config):
        only_named_tests(config)
    config.pluginmanager.register(_Clauses())


def only_named_tests(config: pytest.Config) -> None:
    """Collect only tests that were named: without names, pytest looks for all there are."""
    if config.args_source is not config.ArgsSource.ARGS:
        config.args = []


def conformance_items(session: pytest.Session) -> list[pytest.Item]:
    """Collect the conformance suite, on each of the selected backends.

    It is no file of the project: no conftest of the folders that it is in is loaded for it.
    """
    path = Path(__file__).with_name("conformance") / "selected.py"
    module = pytest.Module.from_parent(session, path=path, nodeid=SUITE_NODE)
    return list(session.genitems(module))


def keep_up_to_level(config: pytest.Config, items: list[pytest.Item], level: str) -> None:
    """Deselect those of *items* that check clauses above *level*."""
    above = LEVELS[LEVELS.index(level) + 1 :]
    left_out = [item for item in items if _level(item) in above]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _level(item) not in above]


def _level(item: pytest.Item) -> str:
    marker = item.get_closest_marker("pynenc_clause")
    return marker.kwargs.get("level", LEVELS[0]) if marker else ""


def runner_kind(item: Any, options: Options) -> str:
    """The kind of runner for a test: the parameter of ``pynenc_runner``, or the option.

    :raises OptionsError: There is no such kind.
    """
    # Asked of the test, not of the fixture: the app is configured before the runner starts.
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    kind: str = parameters.get("pynenc_runner", options.runner)
    if kind not in RUNNER_KINDS:
        message = f"pynenc_runner: there is no kind of runner {kind!r}"
        raise OptionsError(message, near_match(str(kind), RUNNER_KINDS))
    return kind


def _called(marker: pytest.Mark, signature: Any) -> Any:
    """Call *signature* with the marker's arguments, so that Python itself checks them."""
    try:
        return signature(*marker.args, **marker.kwargs)
    except TypeError as error:
        # Python names the function, which nobody has written in a test.
        reason = str(error).replace(f"{signature.__qualname__}()", "it")
        message = f"marker {marker.name}: {reason}"
        raise OptionsError(message, "see pytest --markers for its arguments") from error
