"""Waiting for results in the test's own thread, with a deadline and an eye on the runners.

pynenc asks the app's runner how to wait whenever ``invocation.result`` is not there yet,
and would ask for ever. The runner classes here wait like pynenc's own, but give up once
a runner has died, or nothing has come for the timeout: a test then fails with the reason
instead of hanging.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pynenc.runner import ThreadRunner
from pynenc.runner.base_runner import BaseRunner, DummyRunner

from pytest_pynenc_state.errors import ResultTimeout

if TYPE_CHECKING:
    from pynenc.identifiers.invocation_id import InvocationId


class Watch:
    """Bounds how long the test waits for the same invocations.

    :param why_hopeless: Says why no result can come any more; empty while one can.
    """

    def __init__(self, timeout_s: float, why_hopeless: Callable[[], str]) -> None:
        self._timeout_s = timeout_s
        self._why_hopeless = why_hopeless
        self._waited_for: tuple[str, ...] = ()
        self._since_s = 0.0

    def look(self, invocation_ids: Sequence[str]) -> None:
        """Return at once, or raise if waiting longer is in vain.

        :raises ResultTimeout: A runner has died, or the timeout has passed.
        """
        awaited = tuple(invocation_ids)
        now_s = time.monotonic()
        if awaited != self._waited_for:
            self._waited_for, self._since_s = awaited, now_s
        reason = self._why_hopeless()
        if not reason and now_s - self._since_s > self._timeout_s:
            reason = f"nothing came within {self._timeout_s:g} s"
        if reason:
            self._waited_for = ()  # whoever waits again gets the whole time again
            message = f"waited in vain for the result of {', '.join(awaited)}: {reason}"
            raise ResultTimeout(
                message,
                "see the runner's log",
                "or raise --pynenc-timeout, if the task may take that long",
            )


class _Watched(BaseRunner):
    """What `PytestThreadRunner` and `PytestClientRunner` add to pynenc's own."""

    watch: Watch | None = None

    def waiting_for_results(
        self,
        running_invocation_id: InvocationId | None,
        result_invocation_ids: list[InvocationId],
        runner_args: dict[str, Any] | None = None,
    ) -> None:
        self._look(running_invocation_id, result_invocation_ids)
        super().waiting_for_results(running_invocation_id, result_invocation_ids, runner_args)

    async def async_waiting_for_results(
        self,
        running_invocation_id: InvocationId | None,
        result_invocation_ids: list[InvocationId],
        runner_args: dict[str, Any] | None = None,
    ) -> None:
        self._look(running_invocation_id, result_invocation_ids)
        await super().async_waiting_for_results(
            running_invocation_id, result_invocation_ids, runner_args
        )

    def _look(self, waiter_id: InvocationId | None, awaited: list[InvocationId]) -> None:
        # Tasks wait for their sub-tasks as long as they like; tests do not.
        if self.watch is not None and not waiter_id:
            self.watch.look(awaited)


class PytestThreadRunner(_Watched, ThreadRunner):
    """pynenc's ThreadRunner, in the process that also waits for its results."""


class PytestClientRunner(_Watched, DummyRunner):
    """Runs nothing: stands in the test's process for runners in other processes."""
