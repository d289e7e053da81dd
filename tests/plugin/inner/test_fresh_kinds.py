"""What runners do with a fresh app, whose tasks are registered by the test."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os

import jobs
import pytest

KINDS = ["thread", "multi-thread", "process"]


@pytest.fixture
def pynenc_app(pynenc_app):
    """Register the tasks before a runner looks for them."""
    pynenc_app.task(jobs.who)
    pynenc_app.task(jobs.greet, max_retries=1)
    return pynenc_app


@pytest.mark.pynenc_requires("shared")
@pytest.mark.parametrize("pynenc_runner", KINDS, indirect=True)
def test_each_kind_runs_tasks(pynenc_app, pynenc_runner):
    """Tasks are found by their functions, wherever the runner is."""
    who, greet = (pynenc_app.get_task(task_id) for task_id in sorted_ids(pynenc_app))

    assert greet("Ada").result == "hello Ada"
    assert (who().result == os.getpid()) == (pynenc_runner.kind == "thread")
    assert greet.conf.max_retries == 1


def sorted_ids(app):
    """Return the ids of who and greet, in this order."""
    ids = [task_id for task_id in app.tasks if task_id.module == "jobs"]
    return sorted(ids, key=lambda task_id: task_id.func_name, reverse=True)
