"""Every fixture. Each is a few lines over the modules that do the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator
    from pynenc.state_backend.base_state_backend import BaseStateBackend

    from pytest_pynenc_state.backends.backend import Backend, Place
    from pytest_pynenc_state.history.reading import HistoryReader
    from pytest_pynenc_state.option_values import ServerUrl
    from pytest_pynenc_state.processes.child import Children
    from pytest_pynenc_state.processes.crash_control import CrashControl
    from pytest_pynenc_state.processes.racing import Races
    from pytest_pynenc_state.processes.recorder import Recorder
    from pytest_pynenc_state.processes.runner import RunnerControl
    from pytest_pynenc_state.session import SessionState


def _state(request: pytest.FixtureRequest) -> SessionState:
    from pytest_pynenc_state.session import state_of

    return state_of(request.config)


@pytest.fixture
def _pynenc_request(request: pytest.FixtureRequest) -> pytest.FixtureRequest:
    # For each fixture that asks for `request`, pytest makes a fixture, twice, which takes longer
    # than most of ours do: those that every test has share this one.
    return request


@pytest.fixture
def pynenc_namespace(_pynenc_request: pytest.FixtureRequest) -> str:
    """A short name that no other test, worker or run has."""
    return _state(_pynenc_request).next_namespace()


@pytest.fixture
def pynenc_config() -> dict[str, Any]:
    """Pynenc configuration values for the test; override it in a module or a conftest.

    The marker ``pynenc(**config)`` of a single test beats it.
    """
    return {}


@pytest.fixture
def pynenc_backend(request: pytest.FixtureRequest) -> Backend:
    """The backend the test runs on: each selected one in turn.

    Select with ``--pynenc-backend``, choose among the selected with the markers
    ``pynenc_backends`` and ``pynenc_requires``, or parametrize it with names, indirectly.
    What pytest cannot run several times, a method of `unittest.TestCase`, needs one to be left.
    """
    from pytest_pynenc_state.selection import backend_name

    return _state(request).backend(backend_name(request))


@pytest.fixture
def backend_under_test(request: pytest.FixtureRequest) -> Backend:
    """The backend that a subclass of `StateConformance` checks: each selected one in turn.

    Override it in the class, in its module or in a conftest, and return a `Backend`.
    """
    return _state(request).backend(request.param)


@pytest.fixture(scope="session")
def pynenc_mongo_url(request: pytest.FixtureRequest) -> ServerUrl:
    """The URL of the MongoDB that backend ``mongo`` makes its databases on.

    It is that of ``--pynenc-mongo-url``. Override it to start a server your own way: return
    its URL, and end it after the ``yield``.
    """
    from pytest_pynenc_state.backends.mongo.place import configured_url

    return configured_url(_state(request).options.mongo_url)


@pytest.fixture(scope="session")
def pynenc_mongomock_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerUrl]:
    """The URL of the mongomock server of this run, which all workers of xdist share.

    It speaks MongoDB's protocol on 127.0.0.1, to any driver in any process. The first test
    that asks starts it; it ends with the last process that has asked.
    """
    from pytest_pynenc_state.backends.mongo.place import shared_server

    with shared_server(_state(request).run_directory(tmp_path_factory)) as url:
        yield url


@pytest.fixture
def pynenc_place(
    _pynenc_request: pytest.FixtureRequest, pynenc_backend: Backend, pynenc_namespace: str
) -> Iterator[Place]:
    """An isolated location of the backend, for this test alone.

    While the test runs, its values are also in the environment, so that processes which
    the test starts itself find the same place. Removed after the test, or kept if
    ``--pynenc-keep`` says so, and then named in the report.
    """
    from pytest_pynenc_state import opening

    with (
        opening.nothing_left(_pynenc_request, pynenc_backend),
        opening.opened_place(_pynenc_request, pynenc_backend, pynenc_namespace) as place,
    ):
        yield place


@pytest.fixture
def _pynenc_values(
    _pynenc_request: pytest.FixtureRequest,
    pynenc_backend: Backend,
    pynenc_place: Place,
    pynenc_config: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    from pytest_pynenc_state import opening

    with opening.exported_values(
        _pynenc_request, pynenc_backend, pynenc_place, pynenc_config
    ) as values:
        yield values


@pytest.fixture
def pynenc_app(
    _pynenc_request: pytest.FixtureRequest, _pynenc_values: dict[str, Any], pynenc_namespace: str
) -> Iterator[Pynenc]:
    """The application under test, on the test's own place.

    With ``--pynenc-app pkg.mod:app``, or the marker ``pynenc(app=...)``, it is that app,
    re-pointed in place and put back after the test, whatever happens. Otherwise a fresh
    app, to which the test may add tasks whose functions are in importable modules.
    """
    from pytest_pynenc_state import opening

    with opening.opened_app(_pynenc_request, _pynenc_values, pynenc_namespace) as app:
        yield app


@pytest.fixture
def pynenc_history(request: pytest.FixtureRequest, pynenc_app: Pynenc) -> HistoryReader:
    """Read the status history of an invocation: ``pynenc_history(invocation_or_id)``.

    It is settled: it waits, at most ``--pynenc-timeout``, until the last record is there. So
    compare it at once: ``assert pynenc_history(invocation) == path("registered", ...)``.
    """
    from pytest_pynenc_state.apps.pointing import given_app
    from pytest_pynenc_state.history.reading import HistoryReader

    return HistoryReader(given_app(pynenc_app), _state(request).options.timeout)


@pytest.fixture
def pynenc_app_factory(
    request: pytest.FixtureRequest,
    pynenc_backend: Backend,
    pynenc_place: Place,
    _pynenc_values: dict[str, Any],
    pynenc_namespace: str,
) -> Callable[..., Pynenc]:
    """Build further fresh apps on the test's place: ``factory(app_id=None, **config)``.

    Without *app_id*, it is a further handle to the app under test: on a backend that is
    ``shared``, it sees the same data. *config* are pynenc configuration values for this app
    alone; it has its components when the factory returns.
    """
    from pytest_pynenc_state import opening

    return opening.app_factory(
        request, pynenc_backend, pynenc_place, _pynenc_values, pynenc_namespace
    )


@pytest.fixture
def pynenc_state_backend(pynenc_app: Pynenc) -> BaseStateBackend:  # type: ignore[type-arg]
    """The state backend of ``pynenc_app``."""
    from pytest_pynenc_state.apps.pointing import given_app

    return given_app(pynenc_app).state_backend


@pytest.fixture
def pynenc_orchestrator(pynenc_app: Pynenc) -> BaseOrchestrator:
    """The orchestrator of ``pynenc_app``."""
    from pytest_pynenc_state.apps.pointing import given_app

    return given_app(pynenc_app).orchestrator


@pytest.fixture
def pynenc_runner(
    request: pytest.FixtureRequest,
    pynenc_app: Pynenc,
    pynenc_backend: Backend,
) -> Iterator[RunnerControl]:
    """A runner that executes the tasks of ``pynenc_app``, ready when the test begins.

    Its kind is that of ``--pynenc-runner``, or the fixture's parameter. It is stopped
    after the test, within ``--pynenc-timeout``; what outlives it fails the test.
    """
    from pytest_pynenc_state import starting

    control = starting.runner_control(request, pynenc_app, pynenc_backend)
    _state(request).record(request.node).logs = control.logs
    try:
        with starting.may_crash(request, control):
            control.start()
            yield control
    finally:
        starting.stop_runners(request, control)


@pytest.fixture
def pynenc_crash(
    request: pytest.FixtureRequest,
    pynenc_place: Place,  # noqa: ARG001 - after it, what a test has left is looked for
    pynenc_backend: Backend,
) -> Iterator[CrashControl]:
    """Kill or pause a process of the test at a chosen point: ``pynenc_crash.when("running")``.

    What may be hit is any process that the test starts after this, but never pytest's own:
    children, racers, workers and runners in other processes. It happens once; ``.wait()``
    returns when it has. Whatever is paused goes on when the test ends.
    """
    from pytest_pynenc_state import starting

    with starting.crash_control(request, pynenc_backend) as control:
        yield control


@pytest.fixture
def pynenc_recorder(
    request: pytest.FixtureRequest,
    pynenc_app: Pynenc,
    pynenc_backend: Backend,
    pynenc_namespace: str,
) -> Iterator[Recorder]:
    """What processes do to the store: ``pynenc_recorder.assert_linearizable()``.

    Recorded is this process, and whatever process the test starts after this, also one that is
    killed. If the test fails, its operations are saved, for ``--pynenc-replay``.
    """
    from pytest_pynenc_state import starting

    with starting.opened_recorder(
        request, pynenc_app, pynenc_backend, pynenc_namespace
    ) as recorder:
        yield recorder


@pytest.fixture
def pynenc_process(
    request: pytest.FixtureRequest, pynenc_app: Pynenc, pynenc_backend: Backend
) -> Iterator[Children]:
    """Call a function in another process: ``pynenc_process(function, *args).result()``.

    The function is importable, and gets the app of the test, built again there on the same
    place. A child that is still running when the test ends fails it, unless the test has
    killed, terminated or paused it; so does an error that the test has not asked for.
    """
    from pytest_pynenc_state import starting

    with starting.opened_children(request, pynenc_app, pynenc_backend) as children:
        yield children


@pytest.fixture
def pynenc_race(
    request: pytest.FixtureRequest, pynenc_app: Pynenc, pynenc_backend: Backend
) -> Iterator[Races]:
    """Call a function in several processes at one instant: ``pynenc_race(function, n)``.

    They are ``--pynenc-processes`` processes with the app of the test, ready and connected;
    or threads of this one, with ``threads=True``. ``--pynenc-seed`` repeats their pauses.
    """
    from pytest_pynenc_state import starting

    with starting.opened_races(request, pynenc_app, pynenc_backend) as races:
        yield races
