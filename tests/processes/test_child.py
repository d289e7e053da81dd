"""One function in another process: its app, its answer, its death, and its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.exceptions import InvocationStatusTransitionError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.making import registered
from pytest_pynenc_state.errors import (
    NotSendable,
    NotShared,
    OptionsError,
    ProcessDied,
    ProcessError,
    ProcessTimeout,
)
from pytest_pynenc_state.processes.child import Children
from pytest_pynenc_state.processes.spawning import METHODS
from pytest_pynenc_state.waiting import wait_until
from tests.processes import functions
from tests.processes.looking import DEADLINE_S, awaited

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = [
    pytest.mark.pynenc_backends("sqlite"),
    # Statuses are moved without the records that pynenc would write.
    pytest.mark.pynenc_no_history_check,
]
each_method = pytest.mark.parametrize("method", METHODS)
on_all_shared_backends = pytest.mark.pynenc_backends("sqlite", "mongomock")

# Much more than the kernel keeps for a reader who has not come yet.
MUCH_BYTES = 50_000_000


class TestApp:
    pytestmark = on_all_shared_backends

    @each_method
    def test_a_child_works_on_the_store_of_the_test(
        self, pynenc_process: Children, pynenc_app: Pynenc, method: Any
    ) -> None:
        """Both see what the other one has written, however the child is started."""
        (invocation_id,) = registered(pynenc_app)
        child = pynenc_process(functions.move_to_pending, invocation_id, method=method)
        runner_id = child.result()
        record = pynenc_app.orchestrator.get_invocation_status_record(invocation_id)
        assert (record.status, record.runner_id) == (InvocationStatus.PENDING, runner_id)
        assert f"process {child.pid}," in runner_id

    @pytest.mark.pynenc(app="tests.processes.tasks:app")
    def test_a_child_has_the_authors_app(self, pynenc_process: Children) -> None:
        """As it is imported there, on the place of the test."""
        child = pynenc_process(functions.who)
        assert child.result() == (child.pid, "app-of-the-process-tests")


class TestSurroundings:
    @each_method
    def test_a_child_leads_a_session_of_its_own(
        self, pynenc_process: Children, method: Any
    ) -> None:
        """So that all it starts can be found, and no key in a terminal reaches it."""
        child = pynenc_process(functions.session_id, method=method)
        assert child.result() == child.pid != os.getpid()

    @each_method
    def test_a_child_is_where_the_test_is(
        self,
        pynenc_process: Children,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        method: Any,
    ) -> None:
        """Its variables, working directory and path are those of the test, as they are now."""
        monkeypatch.setenv("SET_BY_THE_TEST", "yes")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend("/of/the/test")
        found = pynenc_process(functions.surroundings, "SET_BY_THE_TEST", method=method).result()
        assert found == ("yes", str(tmp_path), sys.path)

    def test_a_child_is_not_started_where_nothing_is(
        self, pynenc_process: Children, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A test may have removed its working directory."""
        (gone := tmp_path / "gone").mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        with pytest.raises(ProcessError, match="its working directory was removed"):
            pynenc_process(functions.session_id)

    @each_method
    def test_what_a_child_prints_is_the_tests_to_read(
        self, pynenc_process: Children, method: Any, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """And is no part of what the test prints."""
        child = pynenc_process(functions.speak, method=method)
        child.result()
        assert (child.stdout, child.stderr) == ("to one\n", "to the other\n")
        assert "to one" in pynenc_process.logs()
        assert capfd.readouterr() == ("", "")


class TestAnswer:
    def test_a_result_is_returned_whenever_it_is_asked_for(self, pynenc_process: Children) -> None:
        """However large: more than the kernel keeps for a reader who has not come yet."""
        large = os.urandom(5_000_000)
        child = pynenc_process(functions.echo, large, {"a": [1]})
        assert child.result() == (large, {"a": [1]})
        assert child.result() == (large, {"a": [1]})

    def test_an_exception_is_raised_again_with_its_traceback_there(
        self, pynenc_process: Children
    ) -> None:
        """Who reads the report sees the line that raised it."""
        child = pynenc_process(functions.fail, "wrong")
        with pytest.raises(ValueError, match="wrong") as caught:
            child.result()
        assert str(caught.value) == "wrong"
        (note,) = caught.value.__notes__
        assert f"raised in child process {child.pid}:" in note
        assert "in fail\n    raise ValueError(text)" in note

    def test_an_exception_arrives_whole_whatever_its_constructor_takes(
        self, pynenc_process: Children
    ) -> None:
        """Pickling such a one succeeds, and unpickling would fail."""
        with pytest.raises(functions.OddError, match=r"odd \(41\)") as caught:
            pynenc_process(functions.fail_oddly).result()
        assert caught.value.code == 41

    def test_pynencs_refusal_of_a_transition_arrives_whole(
        self, pynenc_process: Children, pynenc_app: Pynenc
    ) -> None:
        """It is what the losers of a race raise."""
        (invocation_id,) = registered(pynenc_app)
        functions.move_to_pending(pynenc_app, invocation_id)
        with pytest.raises(InvocationStatusTransitionError) as caught:
            pynenc_process(functions.move_to_pending, invocation_id).result()
        assert caught.value.from_status == InvocationStatus.PENDING

    def test_what_pytest_raises_arrives_as_text(self, pynenc_process: Children) -> None:
        """Its classes cannot be pickled, and are no usual exceptions."""
        with pytest.raises(NotSendable, match="Failed: the child does not like it"):
            pynenc_process(functions.fail_like_a_test).result()

    def test_an_exception_that_cannot_be_pickled_arrives_as_text(
        self, pynenc_process: Children
    ) -> None:
        """With its traceback, and why."""
        with pytest.raises(NotSendable, match=r"(?s)an exception was raised .* lock") as caught:
            pynenc_process(functions.fail_with_a_lock).result()
        assert "in fail_with_a_lock\n    raise LockedError" in str(caught.value)

    def test_a_result_that_cannot_be_pickled_arrives_as_text(
        self, pynenc_process: Children
    ) -> None:
        """The message shows the object, and says what can be sent."""
        with pytest.raises(NotSendable, match=r"(?s)a value was returned .*_thread.lock") as caught:
            pynenc_process(functions.return_a_lock).result()
        assert "it was <unlocked _thread.lock object" in str(caught.value)
        assert caught.value.remedies


class TestNoAnswer:
    def test_an_exit_is_told_with_its_code_and_the_last_words(
        self, pynenc_process: Children
    ) -> None:
        """At once, and not after the timeout."""
        child = pynenc_process(functions.leave, 3)
        with pytest.raises(
            ProcessDied, match=r"leave in child .* ended with exit code 3"
        ) as caught:
            child.result(DEADLINE_S)
        assert "about to leave" in str(caught.value)

    @each_method
    def test_a_death_is_told_with_its_signal(self, pynenc_process: Children, method: Any) -> None:
        """By its number and its name."""
        child = pynenc_process(functions.die, method=method)
        with pytest.raises(ProcessDied, match=rf"{child.pid} was killed by signal 9 \(SIGKILL\)"):
            child.result(DEADLINE_S)
        assert not child.is_alive()

    @each_method
    def test_a_timeout_says_who_is_late_and_where_it_is(
        self, pynenc_process: Children, life: Path, tmp_path: Path, method: Any
    ) -> None:
        """It can still be waited for."""
        answer = tmp_path / "answer"
        child = pynenc_process(functions.wait_for_file, str(life), str(answer), method=method)
        awaited(life)

        with pytest.raises(ProcessTimeout, match=r"no answer within 0.05 s from") as caught:
            child.result(0.05)
        answer.touch()

        message = str(caught.value)
        assert f"wait_for_file in child process {child.pid}:" in message
        assert "in wait_for_file" in message
        assert child.result() == "it came"

    @each_method
    def test_an_answer_that_has_only_begun_to_arrive_is_late_too(
        self, pynenc_process: Children, method: Any
    ) -> None:
        """What has come of it is not lost."""
        child = pynenc_process(functions.return_much, MUCH_BYTES, method=method)
        assert wait_until(child._process.connection.poll, DEADLINE_S)
        child.pause()
        for _ in range(2):
            with pytest.raises(ProcessTimeout, match=r"(?s)within 0.05 s from.*it is paused"):
                child.result(0.05)
        child.resume()
        assert child.result() == b"x" * MUCH_BYTES

    def test_a_death_in_the_middle_of_an_answer_is_told(self, pynenc_process: Children) -> None:
        """As if it had not begun."""
        child = pynenc_process(functions.return_much, MUCH_BYTES)
        assert wait_until(child._process.connection.poll, DEADLINE_S)
        child.kill()
        with pytest.raises(ProcessDied, match="SIGKILL"):
            child.result(DEADLINE_S)

    def test_a_function_that_cannot_be_imported_there_is_told_with_the_remedy(
        self, pynenc_process: Children, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As are those of test modules that pytest has not imported by their names."""
        module = ModuleType("only_here")
        exec("def nothing(app): pass", module.__dict__)  # noqa: S102 - has no file
        monkeypatch.setitem(sys.modules, "only_here", module)
        with pytest.raises(NotSendable, match="No module named 'only_here'") as caught:
            pynenc_process(module.nothing).result()
        assert "--import-mode=importlib" in str(caught.value)


def unimportable(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    """Functions that only this process has."""

    class Local:
        def method(self, app: Pynenc) -> None: ...

    def nested(app: Pynenc) -> None: ...

    def main(app: Pynenc) -> None: ...

    main.__module__, main.__qualname__ = "__main__", "main"
    monkeypatch.setattr(sys.modules["__main__"], "main", main, raising=False)
    return {
        "<lambda>": lambda _: None,
        "nested": nested,
        "main": main,
        "Local": Local().method,
        "partial of .*<lambda>": partial(lambda _: None, 1),
        "partial of .*nested": partial(partial(nested), print),
    }


class TestRefusals:
    @each_method
    def test_a_function_that_no_child_could_import_is_refused_at_once(
        self, pynenc_process: Children, monkeypatch: pytest.MonkeyPatch, method: Any
    ) -> None:
        """In the test, and before any process is started; with what to do."""
        for name, function in unimportable(monkeypatch).items():
            with pytest.raises(NotSendable, match=f"{name}.* cannot be called in") as caught:
                pynenc_process(function, method=method)
            assert "top level of a module" in caught.value.remedies[0]
        assert pynenc_process._children == []

    def test_an_argument_that_cannot_be_sent_is_refused_at_once(
        self, pynenc_process: Children, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also if it could be pickled, and not be unpickled there."""
        for function in unimportable(monkeypatch).values():
            with pytest.raises(NotSendable, match=r"an argument of .*echo cannot be sent"):
                pynenc_process(functions.echo, [function])
        assert pynenc_process._children == []

    def test_what_cannot_be_called_is_refused(self, pynenc_process: Children) -> None:
        """Likely, somebody has called it already."""
        with pytest.raises(NotSendable, match="None cannot be called"):
            pynenc_process(None)  # type: ignore[arg-type]

    def test_a_function_of_which_nothing_would_run_is_refused(
        self, pynenc_process: Children
    ) -> None:
        """By its name, and not for what it returns."""
        for name, function in functions.NEVER_RUN.items():
            with pytest.raises(OptionsError, match=f"pynenc_process: .*{name} function"):
                pynenc_process(function)
        assert pynenc_process._children == []

    @pytest.mark.pynenc_backends("memory")
    def test_a_backend_in_one_process_is_refused(self, pynenc_process: Children) -> None:
        """The child would see an empty store."""
        with pytest.raises(NotShared, match="pynenc_process needs a second process"):
            pynenc_process(functions.who)

    def test_an_unknown_start_method_is_refused(self, pynenc_process: Children) -> None:
        """With the one that was meant."""
        with pytest.raises(OptionsError, match="did you mean 'spawn'"):
            pynenc_process(functions.who, method="spwan")  # type: ignore[arg-type]
