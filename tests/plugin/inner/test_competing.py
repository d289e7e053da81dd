"""Several runners on one queue."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os

import office
import pytest

KINDS = ("thread", "multi-thread", "process", "persistent-process", "command-line")

# More than any runner runs at once: its slots are the machine's processors, or two workers.
TASKS = 2 + (os.cpu_count() or 1)


pytestmark = [
    pytest.mark.pynenc(app="office:app", max_threads=1),
    pytest.mark.pynenc_requires("shared"),
]


@pytest.mark.parametrize("pynenc_runner", KINDS, indirect=True)
def test_two_runners_share_the_work(pynenc_runner, tmp_path):
    """No task ends before two runners have taken one: one alone would wait in vain."""
    pynenc_runner.start()

    met = [office.meet(str(tmp_path)) for _ in range(TASKS)]

    runners = {runner.runner_id for runner in pynenc_runner.runners}
    assert {invocation.result for invocation in met} == runners


@pytest.mark.pynenc(runner_cls="PersistentProcessRunner")
@pytest.mark.parametrize("pynenc_runner", ["command-line"], indirect=True)
def test_the_command_line_starts_any_class_of_runner(pynenc_runner, tmp_path):
    """Each has workers of its own, which are not taken for it."""
    test_two_runners_share_the_work(pynenc_runner, tmp_path)

    pids = {runner.pid for runner in pynenc_runner.runners}
    assert office.process_id().result not in pids
