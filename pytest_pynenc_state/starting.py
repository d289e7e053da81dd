"""Starting the processes of a test, and ending them: runners, children, racers, crashes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.apps.pointing import check_pointed, given_app
from pytest_pynenc_state.backends.backend import Backend, Capability, Place
from pytest_pynenc_state.opening import author_app, base_directory, is_judged
from pytest_pynenc_state.processes.child import Children
from pytest_pynenc_state.processes.crash_control import CrashControl, crash_control_of
from pytest_pynenc_state.processes.racing import Races, Rules
from pytest_pynenc_state.processes.recorder import Recorder, recorder_of
from pytest_pynenc_state.processes.runner import RunnerControl
from pytest_pynenc_state.processes.visiting import Destination
from pytest_pynenc_state.selection import runner_kind
from pytest_pynenc_state.session import state_of

if TYPE_CHECKING:
    from pynenc.app import Pynenc


# How long somebody who has pressed Ctrl-C is kept waiting for a task to end.
_PATIENCE_S = 3.0


def runner_control(request: pytest.FixtureRequest, app: Pynenc, backend: Backend) -> RunnerControl:
    """Give control over the runners of one test; none has been started yet.

    :raises AppError: The app is not on the place of the test.
    """
    _check_app(request, app, backend)
    state = state_of(request.config)
    path = author_app(request)
    return RunnerControl(
        app=app,
        kind=runner_kind(request.node, state.options),
        backend=backend,
        app_path=path if isinstance(path, str) else None,
        guard=state.guard,
        timeout_s=state.options.timeout,
        lets_record=is_judged(request),
    )


def stop_runners(request: pytest.FixtureRequest, runners: RunnerControl) -> None:
    """Stop all runners of a test, and note what the histories are to be judged by.

    :raises ProcessLeaked: Something outlived one of them; all have been stopped.
    """
    if state_of(request.config).is_interrupted:
        runners.timeout_s = min(runners.timeout_s, _PATIENCE_S)
    try:
        runners.stop()
    finally:
        state_of(request.config).record(request.node).cut_off_since = runners.cut_off_since


@contextmanager
def crash_control(request: pytest.FixtureRequest, backend: Backend) -> Iterator[CrashControl]:
    """Let a test arrange crashes of what it starts from now on.

    :raises NotShared: The backend's state lives in one process.
    """
    state = state_of(request.config)
    options, folder = state.options, state.guard.folder
    with crash_control_of(backend, options.timeout, state.seed, folder) as control:
        yield control


@contextmanager
def may_crash(request: pytest.FixtureRequest, runners: RunnerControl) -> Iterator[None]:
    """Have the runners that are started meanwhile look for crash points, if the test has any.

    Afterwards what was paused goes on, so that it can end. If the test records operations, it
    does so of the runners, too.
    """
    control = look_first(request)
    if control is not None:
        control.runs_here = runners.run_here
    try:
        yield
    finally:
        if control is not None:
            control.resume()


@contextmanager
def opened_recorder(
    request: pytest.FixtureRequest, app: Pynenc, backend: Backend, namespace: str
) -> Iterator[Recorder]:
    """Record what the processes of one test do to its store; save it if the test fails.

    :raises AppError: *app*, which an author's fixture may give, is none.
    :raises RecorderTooLate: There are invocations already.
    """
    state = state_of(request.config)
    path = base_directory(request) / f"{namespace}.operations.jsonl"
    is_shared = Capability.SHARED in backend.capabilities
    with recorder_of(given_app(app), is_shared=is_shared, parent=state.guard.folder) as recorder:

        def save() -> str:
            try:
                return state.keeping(recorder.saved(path))
            except OSError as error:
                return f"could not be saved: {error}"

        if state.options.keep != "none":
            state.record(request.node).operations = save
        yield recorder


def look_first(request: pytest.FixtureRequest) -> CrashControl | None:
    """Record operations and look for crash points before anything is started, if the test does.

    Then what it starts ends before that does, whatever the order of its arguments.

    :returns: What arranges its crashes.
    """
    if "pynenc_recorder" in request.fixturenames:
        request.getfixturevalue("pynenc_recorder")
    if "pynenc_crash" not in request.fixturenames:
        return None
    control: CrashControl = request.getfixturevalue("pynenc_crash")
    return control


def destination(request: pytest.FixtureRequest, app: Pynenc, backend: Backend) -> Destination:
    """Where the other processes of a test are to go.

    :raises AppError: The app is not on the place of the test.
    """
    _check_app(request, app, backend)
    path = author_app(request)
    return Destination(app, path if isinstance(path, str) else None, backend)


def _check_app(request: pytest.FixtureRequest, app: Pynenc, backend: Backend) -> None:
    """Refuse an app that a fixture of the author's gives in place of the one on the place."""
    place: Place = request.getfixturevalue("pynenc_place")
    check_pointed(app, {**backend.components, **place.values})


@contextmanager
def opened_children(
    request: pytest.FixtureRequest, app: Pynenc, backend: Backend
) -> Iterator[Children]:
    """Start children for one test; afterwards end them, also those that a crash point has paused.

    :raises ProcessLeaked: One was still running, and nobody had waited for it.
    """
    control = look_first(request)
    state = state_of(request.config)
    children = Children(destination(request, app, backend), state.guard, state.options.timeout)
    if control is not None:
        children.was_crashed = control.has_killed
    state.record(request.node).children = children.logs
    try:
        yield children
    finally:
        if control is not None:
            control.resume()
        children.close()


@contextmanager
def opened_races(request: pytest.FixtureRequest, app: Pynenc, backend: Backend) -> Iterator[Races]:
    """Let racers race in one test; afterwards they leave its place."""
    look_first(request)
    state = state_of(request.config)
    rules = Rules(state.options.processes, state.seed, state.options.timeout)
    races = Races(destination(request, app, backend), state.pool, rules)
    state.record(request.node).races = races.report
    with closing(races):
        yield races
