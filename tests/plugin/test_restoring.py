"""An author's app is put back exactly, and so is what pynenc keeps for the whole process.

The inner runs are in this process, so that they work on the very objects that are looked
at before and after.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from pynenc import context
from pynenc.app import Pynenc

ENDINGS = ["passes", "fails", "raises_in_setup", "raises_in_teardown", "is_interrupted"]

Snapshot = Mapping[str, Mapping[Any, Any]]


@pytest.fixture
def office(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ModuleType]:
    """Have an app in use: with data in memory, caches, an unpickled copy and contexts."""
    copy_inner("office.py", "jobs.py", "test_disturbing.py")
    pytester.syspathinsert()
    monkeypatch.setenv("PYNENC__SQLITE_DB_PATH", "the author's")
    monkeypatch.setenv("PYNENC__CONFIGORCHESTRATORSQLITE__SQLITE_DB_PATH", "the author's")
    monkeypatch.setattr(Pynenc, "_instances", {})
    module = importlib.import_module("office")
    pickle.loads(pickle.dumps(module.app))
    contexts = dict(context.thread_local.__dict__)
    context.set_current_app(module.app)
    yield module
    context.thread_local.__dict__.clear()
    context.thread_local.__dict__.update(contexts)


def snapshot(app: Pynenc) -> Snapshot:
    """Return what must be the same, the very same, afterwards."""
    tasks = {f"task {task_id.key}": task.__dict__ for task_id, task in app.tasks.items()}
    contexts = context.thread_local.__dict__
    # pynenc asks for these by name each time: their content matters, not which object it is in.
    inner = {f"context {name}": it for name, it in contexts.items() if isinstance(it, dict)}
    contexts = {name: dict if isinstance(it, dict) else it for name, it in contexts.items()}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    groups = {
        "slots": app.__dict__,
        "tasks": app.tasks,
        "deferred triggers": app._deferred_trigger_tasks,
        **tasks,
        "instances": Pynenc._instances,
        "contexts": contexts,
        **inner,
        "signal handlers": handlers,
        "start method": {"name": multiprocessing.get_start_method(allow_none=True)},
        **loggers(),
    }
    return {name: dict(group) for name, group in groups.items()}


def loggers() -> dict[str, dict[str, Any]]:
    found = logging.Logger.manager.loggerDict
    return {
        f"logger {name}": {
            "logger": logger,
            "level": logger.level,
            "propagates": logger.propagate,
            **{f"handler {number}": handler for number, handler in enumerate(handlers_of(logger))},
            **{f"filter {number}": one for number, one in enumerate(logger.filters)},
        }
        for name, logger in found.items()
        if name.startswith("pynenc.") and isinstance(logger, logging.Logger)
    }


def handlers_of(logger: logging.Logger) -> list[logging.Handler]:
    # pytest puts its own handlers on some loggers while a test runs.
    return [one for one in logger.handlers if not type(one).__module__.startswith("_pytest.")]


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """Name every value that is not the very object that was there before."""
    missing = object()
    return [
        f"{group}: {name}: {old.get(name, missing)!r} became {new.get(name, missing)!r}"
        for group in before.keys() | after.keys()
        for old, new in [(before.get(group, {}), after.get(group, {}))]
        for name in old.keys() | new.keys()
        if old.get(name, missing) is not new.get(name, missing)
    ]


def environment() -> dict[str, str]:
    # pytest itself changes this one.
    return {name: it for name, it in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_an_authors_app_is_put_back_however_the_test_ends(
    pytester: pytest.Pytester, office: ModuleType, ending: str, backend: str
) -> None:
    """Slots, tasks, registries, contexts, loggers, signal handlers, variables, start method."""
    before = office.add(1, 2)
    former, variables = snapshot(office.app), environment()

    result = pytester.runpytest_inprocess(
        f"test_disturbing.py::test_{ending}",
        f"--pynenc-backend={backend}",
        no_reraise_ctrlc=True,
    )

    assert (result.ret == pytest.ExitCode.INTERRUPTED) == (ending == "is_interrupted")
    assert "E       RuntimeError" in result.stdout.str() or ending in ("passes", "is_interrupted")
    assert differences(former, snapshot(office.app)) == []
    assert environment() == variables
    assert office.app.orchestrator.count_invocations() == 1
    assert office.app.state_backend.get_invocation(before.invocation_id) == before


def test_the_comparison_sees_each_kind_of_change(office: ModuleType) -> None:
    """Otherwise the test above would pass whatever is left changed."""
    office.add(1, 2)
    former = snapshot(office.app)

    with pytest.MonkeyPatch.context() as change:
        change.setitem(office.app.__dict__, "_conf", None)
        change.setitem(office.add.__dict__, "conf", None)
        change.setitem(Pynenc._instances, "another", office.app)
        change.setitem(context.thread_local.__dict__, "another", None)
        change.setattr(logging.getLogger("pynenc.office"), "handlers", [])
        seen = differences(former, snapshot(office.app))

    for group in ("slots", f"task {office.add.task_id.key}", "instances", "contexts"):
        assert any(difference.startswith(f"{group}: ") for difference in seen)
    assert any(difference.startswith("logger pynenc.office: ") for difference in seen)
    assert differences(former, snapshot(office.app)) == []


def test_a_marker_may_name_the_app_itself(pytester: pytest.Pytester, office: ModuleType) -> None:
    """An object is put back like one that was named by its path."""
    pytester.makepyfile(
        test_object="""
        import office, pytest

        @pytest.mark.pynenc(app=office.app)
        def test_it(pynenc_app):
            assert pynenc_app is office.app
            office.add(1, 2)
        """
    )
    office.add(1, 2)
    former = snapshot(office.app)

    arguments = ("test_object.py", "--pynenc-backend=memory,sqlite")
    pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=2)

    assert differences(former, snapshot(office.app)) == []


def test_an_app_that_no_test_has_used_is_as_new_afterwards(
    pytester: pytest.Pytester, office: ModuleType
) -> None:
    """Named for the whole run by the option; no component has been built for it."""
    office.app._reset_cached_components()
    former = snapshot(office.app)

    result = pytester.runpytest_inprocess(
        "test_disturbing.py::test_passes", "--pynenc-app=office:app", "--pynenc-backend=sqlite"
    )

    result.assert_outcomes(passed=1)
    assert differences(former, snapshot(office.app)) == []
