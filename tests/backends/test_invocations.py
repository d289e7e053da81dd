"""What is said of stored invocations beyond pynenc's contract: odd names and empty ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance.making import new_pair, new_workflow, stored_invocation

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

TEXTS = {
    "empty": "",
    "quotes": 'it\'s "quoted" `here` \\ there',
    "NUL": "before\0after",
    "emoji": "\U0001f389 ä 漢字 \u202e",
    "pattern": "%_*?[a]",
    "long": "x" * 100,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text_is_the_name_of_an_argument(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, text: str
) -> None:
    """Tasks take arguments under any names, which need not be Python's."""
    pair = new_pair(pynenc_app, {text: "value", "other": text})
    pynenc_state_backend._upsert_invocations([pair])
    assert pynenc_state_backend._get_invocation(pair[0].invocation_id) == pair


def test_a_parent_workflow_of_an_empty_id_is_not_taken_for_none(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """The identity of a workflow comes back as it was, the empty id in it too."""
    pair = new_pair(pynenc_app, workflow=new_workflow(parent_workflow_id=""))
    pynenc_state_backend._upsert_invocations([pair])
    assert pynenc_state_backend._get_invocation(pair[0].invocation_id) == pair


def test_an_empty_id_links_nothing(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """What names no parent, or no event, is not found by the empty id."""
    stored_invocation(pynenc_app)
    found = list(pynenc_state_backend.get_child_invocations(""))
    if compat.HAS_EVENT_PARENTS:
        found += pynenc_state_backend.get_invocations_by_parent_event("")
    assert found == []


@pytest.mark.parametrize("filters", [{}, {"workflow_id": "", "workflow_type_key": ""}], ids=str)
def test_without_a_filter_the_invocations_of_all_workflows_are_found(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, filters: dict[str, str]
) -> None:
    """An empty filter is no filter."""
    stored = [stored_invocation(pynenc_app, workflow=new_workflow()) for _ in range(3)]
    found = list(pynenc_state_backend.get_invocation_ids_by_workflow(**filters))
    assert sorted(found) == sorted(stored)
