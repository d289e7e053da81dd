"""Runner contexts: stored with their parents, replaced when they change, found by part of an id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import new_context, read_between, unique_id

if TYPE_CHECKING:
    from pytest_pynenc_state.conformance.making import StateBackend

_RUNNER_IDS = (
    "runner_a",
    "RUNNER_A",
    "runnerXa",
    "run%ner",
    "r.nner",
    "runner(1",
    "a\0b",
    "xb",
    "r[nner",
    "a]b",
    "r\\nner",
)


def _store_all(backend: StateBackend) -> None:
    for runner_id in _RUNNER_IDS:
        backend._store_runner_context(new_context(runner_id))


def _matching(backend: StateBackend, *parts: str) -> dict[str, list[str]]:
    """The ids that are found by each part of an id."""
    return {
        part: sorted(each.runner_id for each in backend.get_matching_runner_contexts(part))
        for part in parts
    }


@clause("SB-CTX-01", hint="store every field, and the chain of parents")
def a_context_comes_back_with_all_its_parents(pynenc_state_backend: StateBackend) -> None:
    """A runner context comes back from the store equal, with its parents of all levels."""
    runner_context = new_context(parent_ctx=new_context(pid=2, parent_ctx=new_context(pid=3)))
    pynenc_state_backend.store_runner_context(runner_context)
    found = [
        pynenc_state_backend.get_runner_context(runner_context.runner_id),
        pynenc_state_backend._get_runner_context(runner_context.runner_id),
        *pynenc_state_backend._get_runner_contexts([runner_context.runner_id]),
        *pynenc_state_backend.get_matching_runner_contexts(runner_context.runner_id),
    ]
    assert found == [runner_context] * 4


@clause("SB-CTX-02", hint="store each parent under its own runner_id too")
def each_parent_is_a_context_of_its_own(pynenc_state_backend: StateBackend) -> None:
    """Storing a runner context makes its parents readable by their own ids."""
    grandparent = new_context()
    parent = new_context(parent_ctx=grandparent)
    pynenc_state_backend.store_runner_context(new_context(parent_ctx=parent))
    found = [
        pynenc_state_backend._get_runner_context(each.runner_id) for each in (parent, grandparent)
    ]
    assert found == [parent, grandparent]


@clause("SB-CTX-03", hint="a child is stored before its parent: keep the chain with the child")
def a_context_whose_parent_is_not_stored_is_readable(pynenc_state_backend: StateBackend) -> None:
    """A runner context can be read while its parent is not stored yet."""
    pynenc_state_backend._store_runner_context(new_context("child", parent_ctx=new_context()))
    found = [
        pynenc_state_backend._get_runner_context("child"),
        *pynenc_state_backend._get_runner_contexts(["child"]),
        *pynenc_state_backend.get_matching_runner_contexts("chi"),
    ]
    assert [each.runner_id for each in found if each] == ["child"] * 3


@clause("SB-CTX-04", hint="None for one, nothing for several; no error")
def an_unknown_runner_has_no_context(pynenc_state_backend: StateBackend) -> None:
    """The context of an unknown runner is None, and among several it is left out."""
    pynenc_state_backend._store_runner_context(new_context("runner"))
    assert pynenc_state_backend.get_runner_context("unknown") is None
    assert pynenc_state_backend._get_runner_context("unknown") is None
    found = pynenc_state_backend._get_runner_contexts(["unknown", "runner", "Runner"])
    assert found == [new_context("runner")]


@clause(
    "SB-CTX-05", hint="_store_runner_context replaces; insert-or-ignore keeps the old process id"
)
def a_context_stored_again_replaces_the_former(pynenc_state_backend: StateBackend) -> None:
    """A runner context that is stored again under its id replaces the one before."""
    former = new_context("runner", pid=1)
    for runner_context in (former, replace(former, pid=2)):
        pynenc_state_backend._store_runner_context(runner_context)
    assert pynenc_state_backend._get_runner_context("runner") == replace(former, pid=2)
    assert pynenc_state_backend._get_runner_contexts(["runner"]) == [replace(former, pid=2)]


@clause(
    "SB-CTX-06", hint="read those that are not cached; leave out unknown ones, no None for them"
)
def many_contexts_are_read_at_once(pynenc_state_backend: StateBackend) -> None:
    """Of the runners that are asked for, those that are known come with their contexts."""
    contexts = {f"runner {number}": new_context(f"runner {number}") for number in range(30)}
    for runner_context in contexts.values():
        pynenc_state_backend._store_runner_context(runner_context)
    known_here = new_context("runner 30")
    pynenc_state_backend.store_runner_context(known_here)
    asked = [*contexts, "runner 30", *(f"unknown {number}" for number in range(30))]
    found = pynenc_state_backend.get_runner_contexts(asked)
    assert {each.runner_id: each for each in found} == {**contexts, "runner 30": known_here}


@clause("SB-CTX-07", hint="return early for an empty list; some drivers refuse an empty one")
def no_ids_are_no_contexts(pynenc_state_backend: StateBackend) -> None:
    """Asking for the contexts of no runners gives an empty list."""
    pynenc_state_backend.store_runner_context(new_context())
    found = [
        pynenc_state_backend.get_runner_contexts([]),
        pynenc_state_backend._get_runner_contexts([]),
    ]
    assert found == [[], []]


@clause("SB-CTX-08", hint="look for the part anywhere in the id; the empty text is in all of them")
def contexts_are_found_by_a_part_of_their_id(pynenc_state_backend: StateBackend) -> None:
    """A part of a runner's id finds all runners whose ids contain it, at any place."""
    runner_ids = ["host-1.main.7", "host-1.spare.8", "host-2.main.7"]
    for runner_id in runner_ids:
        pynenc_state_backend._store_runner_context(new_context(runner_id))
    expected = {
        "host-1": runner_ids[:2],
        "main": runner_ids[::2],
        "7": runner_ids[::2],
        "host-1.spare.8": [runner_ids[1]],
        "": runner_ids,
        "unknown": [],
    }
    assert _matching(pynenc_state_backend, *expected) == expected


@clause("SB-CTX-09", hint="compare case-sensitively: LIKE and collations fold case")
def a_part_of_an_id_is_matched_with_its_case(pynenc_state_backend: StateBackend) -> None:
    """A part of a runner's id finds no runner whose id has it in another case only."""
    _store_all(pynenc_state_backend)
    expected = {"UNNER": ["RUNNER_A"], "Runner": [], "XA": [], "Xa": ["runnerXa"]}
    assert _matching(pynenc_state_backend, *expected) == expected


@clause(
    "SB-CTX-10", hint="escape what is special in LIKE or in a regular expression, or use neither"
)
def a_part_of_an_id_is_no_pattern(pynenc_state_backend: StateBackend) -> None:
    """No character in a part of a runner's id stands for any other, and none ends it."""
    _store_all(pynenc_state_backend)
    expected = {
        "r_a": ["runner_a"],
        "%": ["run%ner"],
        "r.n": ["r.nner"],
        ".*": [],
        "(": ["runner(1"],
        "[": ["r[nner"],
        "a]b": ["a]b"],
        "\\": ["r\\nner"],
        "a\0": ["a\0b"],
        "\0": ["a\0b"],
    }
    assert _matching(pynenc_state_backend, *expected) == expected


@clause("SB-CTX-11", hint="take a snapshot before the first context is handed out")
def contexts_can_be_read_while_others_are_stored(pynenc_state_backend: StateBackend) -> None:
    """Who lists matching runner contexts may store more of them meanwhile."""
    before = sorted(unique_id("runner") for _ in range(4))
    for runner_id in before:
        pynenc_state_backend._store_runner_context(new_context(runner_id))
    found = read_between(
        pynenc_state_backend.get_matching_runner_contexts(""),
        lambda added: pynenc_state_backend._store_runner_context(new_context(added)),
    )
    assert sorted(each.runner_id for each in found if each.runner_id in before) == before
