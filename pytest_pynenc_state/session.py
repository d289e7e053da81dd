"""What one pytest run knows: its options, its backends, and what to report of each test."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.errors import PynencStateError
from pytest_pynenc_state.hookspecs import KEPT_PLACE, OPTIONS
from pytest_pynenc_state.options import Options

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_pynenc_state.backends.backend import Backend
    from pytest_pynenc_state.backends.catalogue import Catalogue
    from pytest_pynenc_state.history.picture import Picture
    from pytest_pynenc_state.processes.guarding import Guard
    from pytest_pynenc_state.processes.pool import Pool

_STATE: pytest.StashKey[SessionState] = pytest.StashKey()
_RECORD: pytest.StashKey[TestRecord] = pytest.StashKey()

# What a failed test says of these is also a property of it.
_FOR_JUNIT = ("histories", "operations")

_PROPERTIES = (KEPT_PLACE, *(f"pynenc_{name}" for name in _FOR_JUNIT))


class TestRecord:
    """What is to be said of one test if it fails.

    :ivar location: Where its place is, in words; None if it has none that can be kept.
    :ivar monitor: Returns the command that opens pynenc's monitor on that place.
    :ivar logs: Returns what its runners in other processes printed last.
    :ivar children: Returns what its child processes printed last.
    :ivar races: Returns its last race, and the seed.
    :ivar histories: Returns what became of its invocations.
    :ivar operations: Saves what its processes did, and says where.
    :ivar cut_off_since: Since when a runner may have been ended in the middle of its work, by the
        end of the test or before; None if there was none in another process.
    :ivar picture: Returns what is to be drawn of its invocations; None if there are none.
    :ivar clause: The clause of the conformance suite that it checks, in words.
    """

    __test__ = False

    def __init__(self) -> None:
        self.failed = False
        self.location: str | None = None
        self.monitor: Callable[[], str] | None = None
        self.logs: Callable[[], str] | None = None
        self.children: Callable[[], str] | None = None
        self.races: Callable[[], str] | None = None
        self.histories: Callable[[], str] | None = None
        self.operations: Callable[[], str] | None = None
        self.picture: Callable[[], Picture | None] | None = None
        self.cut_off_since: datetime | None = None
        self.clause: str | None = None

    def forget(self) -> None:
        """Let go of the app, and all else that would stay in memory for the rest of the run."""
        self.logs = self.children = self.races = self.histories = self.operations = None
        self.picture = self.monitor = None


class SessionState:
    """The state of one run, or of one xdist worker of it."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self.options = options
        #: Whether a test was cut off, so that it is torn down when the run ends.
        self.is_interrupted = False
        self._config = config
        self._counter = itertools.count(1)
        self._backends: dict[str, Backend] = {}
        self._removals: dict[TestRecord, Callable[[], None]] = {}
        self._has_kept = False

    @cached_property
    def catalogue(self) -> Catalogue:
        """All backends that can be selected; asking plugins for theirs costs some time."""
        from pytest_pynenc_state.backends.catalogue import Catalogue

        return Catalogue(self._config.hook.pytest_pynenc_backends(config=self._config))

    def backend(self, name: str) -> Backend:
        """The backend called *name*.

        :raises OptionsError: There is none.
        """
        if name not in self._backends:
            self._backends[name] = self.catalogue.select(name)
        return self._backends[name]

    def import_backends(self) -> None:
        """Import the components of all backends that can be imported here, selected or not."""
        for name in (*self.catalogue.names, *self.options.backend):
            with suppress(Exception):  # told where it is used
                self.backend(name).import_modules()

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The default backends that cannot run on this machine, and why each cannot."""
        if not self.options.is_default("backend"):
            return {}
        obstacles = {name: self.backend(name).obstacle() for name in self.options.backend}
        return {name: obstacle for name, obstacle in obstacles.items() if obstacle}

    @property
    def left_out_so_far(self) -> dict[str, str]:
        """As `left_out`, but empty as long as no test has asked for a backend."""
        return self.left_out if "left_out" in self.__dict__ else {}

    @cached_property
    def guard(self) -> Guard:
        """What ends our child processes if this process is killed."""
        from pytest_pynenc_state.processes.guarding import Guard

        return Guard()

    @cached_property
    def pool(self) -> Pool:
        """Warm processes for the races of all tests."""
        from pytest_pynenc_state.processes.pool import Pool

        return Pool(self.guard)

    @cached_property
    def seed(self) -> int:
        """What the random choices of this run follow from."""
        if self.options.seed is not None:
            return self.options.seed
        from secrets import randbits

        return randbits(32)

    @cached_property
    def own_directory(self) -> Path:
        """A folder that stays if a place in it is kept, whatever pytest removes."""
        from tempfile import mkdtemp

        return Path(mkdtemp(prefix="pynenc-"))

    def run_directory(self, factory: pytest.TempPathFactory) -> Path:
        """A folder for all workers of this run, and for no other run; it need not exist."""
        base = factory.getbasetemp()
        is_worker = hasattr(self._config, "workerinput")
        return (base.parent if is_worker else base) / f"pynenc-run-{self._run_id}"

    def next_namespace(self) -> str:
        """A name that no other test, worker or run has."""
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        return f"pynenc_t_{self._run_id}{worker}_{next(self._counter)}"

    @cached_property
    def _run_id(self) -> str:
        from uuid import uuid4

        # The same for all workers of one xdist run; a run of its own otherwise.
        worker_input = getattr(self._config, "workerinput", {})
        run_uid: str = worker_input.get("testrunuid") or uuid4().hex
        return run_uid[:8]

    def keeps(self, record: TestRecord) -> bool:
        """Whether a test's place, if it is one that can be kept, stays after the test."""
        if record.location is None:
            return False
        return self.options.keep == "all" or (self.options.keep == "failed" and record.failed)

    def keeping(self, saved: str) -> str:
        """Have `own_directory` stay, because of what was *saved* in it."""
        self._has_kept = True
        return saved

    @staticmethod
    def record(item: pytest.Item) -> TestRecord:
        """What is to be said of *item*."""
        return item.stash.setdefault(_RECORD, TestRecord())

    def dispose_of(self, record: TestRecord, remove: Callable[[], None]) -> None:
        """Remember how a test's place is removed, for `dispose`."""
        self._removals[record] = remove

    def dispose(self, record: TestRecord) -> None:
        """Remove a test's place, unless it is kept; do nothing if it has none."""
        remove = self._removals.pop(record, None)
        if remove is None:
            return
        if self.keeps(record):
            self._has_kept = True
        else:
            remove()

    def close(self) -> None:
        """End what the run started, and dispose of the places of interrupted tests."""
        for record in list(self._removals):
            self.dispose(record)
        if "own_directory" in self.__dict__ and not self._has_kept:
            rmtree(self.own_directory)
        if "pool" in self.__dict__:
            self.pool.close()
        if "guard" in self.__dict__:
            self.guard.close()


class _Outcomes:
    """The hooks that deal with each test, in a run that has tests of ours."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say which default backends the tests do not run on, because something is missing."""
        left_out = self._state.left_out_so_far
        return [f"pynenc: left out {name}: {obstacle}" for name, obstacle in left_out.items()]

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        """Explain how a status history differs from a path."""
        # Before anything of it is loaded, neither side can be one.
        if "pytest_pynenc_state.history.records" not in sys.modules:
            return None
        from pytest_pynenc_state.history.explanation import assertion_lines

        return assertion_lines(op, left, right)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Dispose of the test's place once nothing of the test can fail any more."""
        try:
            yield
        except BaseException:
            if record := item.stash.get(_RECORD, None):
                record.failed = True
            raise
        finally:
            if record := item.stash.get(_RECORD, None):
                self._state.dispose(record)

    def pytest_keyboard_interrupt(self) -> None:
        """Remember that a test was cut off, by Ctrl-C or `pytest.exit`."""
        self._state.is_interrupted = True

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Say what an interrupted test has left: it is torn down here, where errors end pytest.

        Raised, they would come in place of the summary, and of the exit status.
        """
        if not self._state.is_interrupted:
            return (yield)
        try:
            yield
        except* (PynencStateError, pytest.fail.Exception) as errors:
            terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
            if terminal is not None:
                terminal.ensure_newline()
                terminal.section("pynenc: the interrupted test")
                for error in _leaves(errors):
                    terminal.line(str(error))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say of a failed test what became of its invocations, and then where its place is kept.

        First in, last out: who reports of the test, too, does so before its app is forgotten.
        """
        report = yield
        record = item.stash.get(_RECORD, None)
        if record is None:
            return report
        record.failed = record.failed or report.failed
        if report.failed:
            self._explain(item, report, record)
        decided = report.failed or report.when == "call"
        if decided and self._state.keeps(record):
            look = f"\nlook at it with: {record.monitor()}" if record.monitor else ""
            report.sections.append(("pynenc place", f"{record.location} (kept){look}"))
            _tell(item, report, KEPT_PLACE, record.location)
        if report.when == "teardown":
            self._forget(item, record)
        return report

    @staticmethod
    def _forget(item: pytest.Item, record: TestRecord) -> None:
        """Let go of a test that has ended: if it is run again, that is an attempt of its own."""
        record.forget()
        del item.stash[_RECORD]
        item.user_properties[:] = [it for it in item.user_properties if it[0] not in _PROPERTIES]

    @staticmethod
    def _explain(item: pytest.Item, report: pytest.TestReport, record: TestRecord) -> None:
        """Add to the report of a failure what is known of the test."""
        if record.clause:
            report.sections.append(("pynenc clause", record.clause))
        sections = {
            "histories": record.histories,
            "races": record.races,
            "operations": record.operations,
            "child log": record.children,
            "runner log": record.logs,
        }
        for name, tell in sections.items():
            if tell and (text := tell()):
                report.sections.append((f"pynenc {name}", text))
                if name in _FOR_JUNIT:
                    _tell(item, report, f"pynenc_{name}", text)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group of errors, or of groups."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _tell(item: pytest.Item, report: pytest.TestReport, name: str, value: object) -> None:
    """Add a property to *report*, and to the later ones of the same test: junit takes the last."""
    if (name, value) not in report.user_properties:
        item.user_properties.append((name, str(value)))
        report.user_properties.append((name, str(value)))


def state_of(config: pytest.Config) -> SessionState:
    """The state of the run that *config* belongs to; closed when the run ends.

    The first call makes it, and from then on looks after each test.
    """
    state = config.stash.get(_STATE, None)
    if state is None:
        state = config.stash[_STATE] = SessionState(config, config.stash[OPTIONS])
        config.pluginmanager.register(_Outcomes(state), "pynenc_outcomes")
        config.add_cleanup(state.close)
    return state
