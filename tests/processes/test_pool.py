"""The pool: warm children that serve test after test, and keep nothing of any of them."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from pytest_pynenc_state import session
from pytest_pynenc_state.errors import ProcessTimeout
from pytest_pynenc_state.processes.pool import Pool
from pytest_pynenc_state.processes.racing import Races, Rules
from pytest_pynenc_state.processes.tree import session_members
from pytest_pynenc_state.processes.visiting import Destination
from pytest_pynenc_state.waiting import wait_until
from tests.processes import functions, tasks

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = pytest.mark.pynenc_backends("sqlite")

DEADLINE_S = 20.0


@pytest.fixture
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    """A pool that nobody else uses, with no children yet."""
    pool = Pool(session.state_of(request.config).guard)
    yield pool
    pool.close()


@pytest.fixture
def race(pool: Pool, destination: Destination) -> Races:
    """Races of the children of `pool`; closing it is what happens when a test ends."""
    return Races(destination, pool, Rules(2, 7, 30.0))


def stores_open_in(pid: int) -> list[str]:
    return [file.path for file in psutil.Process(pid).open_files() if ".db" in file.path]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, DEADLINE_S)


class TestChildren:
    def test_the_same_children_serve_again_and_more_are_started_as_needed(
        self, race: Races, pool: Pool
    ) -> None:
        """Also after the test has ended."""
        first = [outcome.pid for outcome in race(functions.who, 2).outcomes]
        race.close()
        more = [outcome.pid for outcome in race(functions.who, 3).outcomes]
        fewer = [outcome.pid for outcome in race(functions.who, 2).outcomes]
        assert (more[:2], fewer, pool.pids) == (first, first, more)

    def test_a_child_that_was_killed_is_replaced(self, race: Races, pool: Pool) -> None:
        """Whether it was killed between two races or between two tests."""
        race(functions.who, 3)
        first, second, third = pool.pids
        kill(first)
        assert [pid for pid, _ in race(functions.who, 3).values][:2] == [second, third]
        kill(second)
        race.close()
        assert second not in pool.pids
        assert len(race(functions.who, 3).winners) == 3

    def test_a_racer_that_stops_in_the_middle_of_its_answer_is_late(
        self, race: Races, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is replaced; what has come of its answer is nobody's."""
        collect = pool.collect

        def paused(names: Any, timeout_s: float) -> Any:
            [racer] = names
            assert wait_until(racer.connection.poll, DEADLINE_S)
            racer.pause()
            return collect(names, min(timeout_s, 0.05))

        def ready(names: Any, timeout_s: float) -> Any:
            monkeypatch.setattr(pool, "collect", paused)
            return collect(names, timeout_s)

        monkeypatch.setattr(pool, "collect", ready)
        with pytest.raises(ProcessTimeout, match="return_much, race 0, racer 0"):
            race(functions.return_much, 1, args=(50_000_000,))
        monkeypatch.setattr(pool, "collect", collect)

        assert pool.pids == []
        assert race(functions.echo, 1, args=("next",)).values == (("next",),)

    def test_a_pool_ends_with_all_its_children_have_started(self, race: Races, pool: Pool) -> None:
        """It is closed when the session ends."""
        (grandchild, *_) = race(functions.start_grandchild).values
        pids = pool.pids
        assert grandchild in [member.pid for member in session_members(pids[0])]
        pool.close()
        assert [session_members(pid) for pid in pids] == [[], []]
        assert pool.pids == []

    def test_a_pool_that_nobody_used_starts_no_process(self, pool: Pool) -> None:
        """A session without races pays for none."""
        assert pool.pids == []


class TestThreads:
    def test_each_thread_gets_the_answers_to_what_it_asked(self, race: Races) -> None:
        """Although all ask the same children at once; nothing of it is there for the next."""
        got: dict[str, list[object]] = {"ann": [], "bob": []}

        def run(name: str) -> None:
            got[name] += [race(functions.echo, 2, args=(name,)).values for _ in range(20)]

        threads = [threading.Thread(target=run, args=(name,)) for name in got]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)

        assert got == {name: [((name,), (name,))] * 20 for name in got}
        assert race(functions.echo, 2, args=("next",)).values == (("next",), ("next",))

    def test_a_test_that_ends_waits_for_the_race_that_is_underway(
        self, race: Races, pool: Pool, tmp_path: Path
    ) -> None:
        """The children leave its place afterwards."""
        life, answer = tmp_path / "life", tmp_path / "answer"
        values: list[object] = []

        def run() -> None:
            values.extend(race(functions.wait_for_file, 1, args=(str(life), str(answer))).values)

        racing, ending = threading.Thread(target=run), threading.Thread(target=race.close)
        racing.start()
        assert wait_until(life.exists, DEADLINE_S)
        ending.start()
        ending.join(0.2)
        is_waiting = ending.is_alive()
        answer.touch()
        racing.join(DEADLINE_S)
        ending.join(DEADLINE_S)

        assert (is_waiting, values) == (True, ["it came"])
        assert stores_open_in(pool.pids[0]) == []

    def test_a_race_that_is_interrupted_leaves_no_answer_for_the_next(
        self, race: Races, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whenever that is: here, its racers have just been told the instant."""
        collect = pool.collect

        def interrupted(names: Any, timeout_s: float) -> Any:
            monkeypatch.setattr(pool, "collect", _interrupt)
            return collect(names, timeout_s)

        monkeypatch.setattr(pool, "collect", interrupted)
        with pytest.raises(KeyboardInterrupt):
            race(functions.echo, 2, args=("interrupted",))
        monkeypatch.setattr(pool, "collect", collect)

        assert race(functions.echo, 2, args=("next",)).values == (("next",), ("next",))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class TestPlaces:
    def test_the_app_is_built_once_for_each_place(self, race: Races) -> None:
        """A second race needs no new one, but the next test does."""
        apps = [race(functions.address, 2).values for _ in range(3)]
        assert len(set(apps)) == 1

    def test_a_place_that_is_left_has_no_connections(self, race: Races, pool: Pool) -> None:
        """Its file can be removed, and nothing of it can be written any more."""
        race(functions.who, 2)
        assert all(stores_open_in(pid) for pid in pool.pids)
        race.close()
        assert [stores_open_in(pid) for pid in pool.pids] == [[], []]

    def test_children_are_where_the_test_is(
        self, race: Races, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Its variables, working directory and path are the test's, whenever it changes them."""
        race(functions.who, 1)
        path = str(tmp_path)
        monkeypatch.setenv("SET_BY_THE_TEST", "yes")
        monkeypatch.chdir(path)
        monkeypatch.syspath_prepend(path)
        ((variable, directory, sys_path),) = race(
            functions.surroundings, 1, args=("SET_BY_THE_TEST",)
        ).values
        assert (variable, directory, sys_path[0]) == ("yes", path, path)
        monkeypatch.undo()
        ((variable, directory, sys_path),) = race(
            functions.surroundings, 1, args=("SET_BY_THE_TEST",)
        ).values
        assert variable is None
        assert path not in (directory, *sys_path)

    def test_a_task_that_the_test_adds_is_there_in_the_next_race(
        self, race: Races, pynenc_app: Pynenc
    ) -> None:
        """The children have the app as it is now."""
        assert race(functions.task_names, 1).values == ([],)
        pynenc_app.task(tasks.process_id)
        assert race(functions.task_names, 1).values == (["process_id"],)

    def test_nothing_that_a_test_leaves_behind_is_there_for_the_next(self, race: Races) -> None:
        """Apps that pynenc knows by id, its contexts, and the surroundings."""
        found = race(functions.pollution, 1).values
        race(functions.pollute, 1)
        polluted = race(functions.pollution, 1).values
        race.close()
        assert len(polluted[0] - found[0]) == 7
        assert race(functions.pollution, 1).values == found

    def test_what_was_printed_for_one_test_is_not_shown_for_the_next(self, race: Races) -> None:
        """A report has what happened in its own test."""
        race(functions.speak, 1)
        assert "to one" in race.report()
        race.close()
        race(functions.who, 1)
        assert "to one" not in race.report()

    @pytest.mark.pynenc(app="tests.processes.tasks:app")
    def test_the_authors_app_is_put_back(self, race: Races, pynenc_app: Pynenc) -> None:
        """A task that one test has added is not there for the next."""
        added = pynenc_app.task(tasks.process_id)
        assert race(functions.task_names, 1).values == (["own_process_id", "process_id"],)
        race.close()
        del pynenc_app._tasks[added.task_id]
        assert race(functions.task_names, 1).values == (["own_process_id"],)

    def test_modules_of_the_same_name_are_those_of_the_test(
        self, race: Races, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """One that came from a folder which is not on the path any more is forgotten."""
        found = []
        for name in ("one", "other"):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "of_the_test.py").write_text(f"def name(app): return {name!r}")
            with monkeypatch.context() as patch:
                patch.syspath_prepend(str(folder))
                module = importlib.import_module("of_the_test")
                found += race(module.name, 1).values
            del sys.modules["of_the_test"]
        assert found == ["one", "other"]

    def test_a_module_that_cannot_be_imported_there_breaks_no_child(
        self, race: Races, pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The error is raised in the test, and the child goes on."""
        race(functions.who, 1)
        pids = pool.pids
        (tmp_path / "broken.py").write_text("def name(app): ...")
        monkeypatch.syspath_prepend(str(tmp_path))
        broken = importlib.import_module("broken")
        (tmp_path / "broken.py").write_text("raise RuntimeError('broken there')")
        with pytest.raises(TypeError, match="broken there"):
            race(broken.name, 1)
        assert len(race(functions.who, 1).winners) == 1
        assert pool.pids == pids
