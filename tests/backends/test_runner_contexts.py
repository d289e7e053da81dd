"""What is said of runner contexts beyond pynenc's contract: the latest is what others see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.conformance.making import new_context

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

    AppFactory = Callable[..., Pynenc]


def _forget_cached(backend: PytestStateBackend) -> None:
    """Make the next read ask the store, as another process would."""
    backend._runner_context_cache.clear()


def test_a_context_brings_the_parent_that_is_not_stored_itself(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """The child is stored first, and with all its parents, so whoever reads in between has them."""
    child = new_context("child", parent_ctx=new_context())
    pynenc_state_backend._store_runner_context(child)
    read = [
        pynenc_state_backend._get_runner_context("child"),
        *pynenc_state_backend._get_runner_contexts(["child"]),
        *pynenc_state_backend.get_matching_runner_contexts("chi"),
    ]
    assert read == [child, child, child]


def test_a_context_stored_again_replaces_the_former(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A runner that was restarted under its id is seen with its new process id."""
    former = new_context("runner", pid=1)
    for runner_context in (former, replace(former, pid=2)):
        pynenc_state_backend.store_runner_context(runner_context)
    _forget_cached(pynenc_state_backend)
    assert pynenc_state_backend.get_runner_context("runner") == replace(former, pid=2)


def test_a_context_that_was_changed_in_place_replaces_the_former(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """The object that was stored is not what a change is told by."""
    runner_context = new_context("runner", pid=1)
    pynenc_state_backend.store_runner_context(runner_context)
    runner_context.pid = 2
    pynenc_state_backend.store_runner_context(runner_context)
    _forget_cached(pynenc_state_backend)
    assert pynenc_state_backend.get_runner_context("runner") == runner_context


def test_a_context_that_was_stored_is_private(pynenc_state_backend: PytestStateBackend) -> None:
    """Changing a context after it was stored changes nothing in the store."""
    runner_context = new_context("runner", pid=1)
    pynenc_state_backend._store_runner_context(runner_context)
    runner_context.pid = 2
    stored = pynenc_state_backend._get_runner_context("runner")
    assert stored == replace(runner_context, pid=1)


def test_any_number_of_contexts_is_asked_for_at_once(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Thousands of ids are answered, whatever the store takes in one question."""
    runner_context = new_context()
    pynenc_state_backend._store_runner_context(runner_context)
    asked = [*(f"unknown {number}" for number in range(2000)), runner_context.runner_id]
    assert pynenc_state_backend.get_runner_contexts(asked) == [runner_context]


@pytest.mark.pynenc_requires("shared")
def test_a_context_stored_after_another_handle_purged_reaches_the_store(
    pynenc_app: Pynenc, pynenc_app_factory: AppFactory, pynenc_state_backend: PytestStateBackend
) -> None:
    """What one process remembers to have stored may have been purged by another one."""
    runner_context = new_context()
    pynenc_state_backend.store_runner_context(runner_context)
    pynenc_app_factory(app_id=pynenc_app.app_id).state_backend.purge()
    pynenc_state_backend.store_runner_context(runner_context)
    stored = pynenc_state_backend._get_runner_context(runner_context.runner_id)
    assert stored == runner_context
