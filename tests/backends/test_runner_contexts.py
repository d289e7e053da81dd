"""Runner contexts: stored with their parents, replaced when they change, found by part of an id."""

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


def test_a_context_comes_back_with_all_its_parents(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Every field of every level comes back from the store, not from this process."""
    runner_context = new_context(parent_ctx=new_context(pid=2, parent_ctx=new_context(pid=3)))
    pynenc_state_backend.store_runner_context(runner_context)
    _forget_cached(pynenc_state_backend)
    assert pynenc_state_backend.get_runner_context(runner_context.runner_id) == runner_context


def test_each_parent_is_a_context_of_its_own(pynenc_state_backend: PytestStateBackend) -> None:
    """Storing a context makes its parents readable by their ids."""
    grandparent = new_context()
    parent = new_context(parent_ctx=grandparent)
    pynenc_state_backend.store_runner_context(new_context(parent_ctx=parent))
    _forget_cached(pynenc_state_backend)
    stored = [
        pynenc_state_backend.get_runner_context(each.runner_id) for each in (parent, grandparent)
    ]
    assert stored == [parent, grandparent]


def test_a_context_whose_parent_is_not_stored_is_readable(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """The child comes first, so whoever reads in between must not fail."""
    child = new_context("child", parent_ctx=new_context())
    pynenc_state_backend._store_runner_context(child)
    read = [
        pynenc_state_backend._get_runner_context("child"),
        *pynenc_state_backend._get_runner_contexts(["child"]),
        *pynenc_state_backend.get_matching_runner_contexts("chi"),
    ]
    assert read == [child, child, child]


def test_an_unknown_runner_has_no_context(pynenc_state_backend: PytestStateBackend) -> None:
    """An unknown id is None, in public and in private."""
    found = [
        pynenc_state_backend.get_runner_context("unknown"),
        pynenc_state_backend._get_runner_context("unknown"),
    ]
    assert found == [None, None]


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


def test_many_contexts_are_read_at_once(pynenc_state_backend: PytestStateBackend) -> None:
    """Any number of ids is answered; unknown ones are left out."""
    contexts = {f"runner {number}": new_context(f"runner {number}") for number in range(30)}
    for runner_context in contexts.values():
        pynenc_state_backend._store_runner_context(runner_context)
    asked = [*contexts, *(f"unknown {number}" for number in range(2000))]
    found = pynenc_state_backend.get_runner_contexts(asked)
    assert {each.runner_id: each for each in found} == contexts


def test_no_ids_are_no_contexts(pynenc_state_backend: PytestStateBackend) -> None:
    """An empty list is answered by an empty list, in public and in private."""
    pynenc_state_backend.store_runner_context(new_context())
    found = [
        pynenc_state_backend.get_runner_contexts([]),
        pynenc_state_backend._get_runner_contexts([]),
    ]
    assert found == [[], []]


RUNNER_IDS = ("runner_a", "RUNNER_A", "runnerXa", "run%ner", "r.nner", "runner(1", "a\0b", "xb")


@pytest.mark.parametrize(
    ("partial_id", "expected"),
    [
        ("runner_a", ["runner_a"]),
        ("_a", ["runner_a"]),
        ("unner", ["runner_a", "runnerXa", "runner(1"]),
        ("UNNER", ["RUNNER_A"]),
        ("%", ["run%ner"]),
        ("r.n", ["r.nner"]),
        (".*", []),
        ("(", ["runner(1"]),
        ("a\0", ["a\0b"]),
        ("\0", ["a\0b"]),
        ("b", ["a\0b", "xb"]),
        ("", list(RUNNER_IDS)),
        ("unknown", []),
    ],
    ids=repr,
)
def test_a_part_of_an_id_is_matched_to_the_letter(
    pynenc_state_backend: PytestStateBackend, partial_id: str, expected: list[str]
) -> None:
    """No character is a wildcard, case matters, and the empty text is part of every id."""
    for runner_id in RUNNER_IDS:
        pynenc_state_backend._store_runner_context(new_context(runner_id))
    found = pynenc_state_backend.get_matching_runner_contexts(partial_id)
    assert sorted(each.runner_id for each in found) == sorted(expected)


def test_a_context_stored_after_a_purge_reaches_the_store(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A purge also forgets what this process knows to be stored."""
    runner_context = new_context()
    pynenc_state_backend.store_runner_context(runner_context)
    pynenc_state_backend.purge()
    pynenc_state_backend.store_runner_context(runner_context)
    stored = pynenc_state_backend._get_runner_context(runner_context.runner_id)
    assert stored == runner_context


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
