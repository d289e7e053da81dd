"""Operations in a file: they come back as they were, and what is none is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_pynenc_state.errors import OperationsUnreadable
from pytest_pynenc_state.history.operations import (
    Ending,
    Operation,
    load_operations,
    save_operations,
)
from tests.history.calls import READ, REGISTER, claim, op, refused


def test_operations_come_back_from_a_file(tmp_path: Path) -> None:
    """And are judged the same, without any store."""
    operations = [REGISTER, claim("a", (2, 9)), claim("b", (3, None)), refused("c", (1, 2), "E")]
    save_operations(operations, tmp_path / "saved.jsonl")
    assert load_operations(tmp_path / "saved.jsonl") == operations


@pytest.mark.parametrize("line", ["{}", "[1, 2]", "nonsense", '["p","k","n",[],"maybe",1,2,3]'])
def test_a_file_that_is_none_is_refused(tmp_path: Path, line: str) -> None:
    """With the line's number."""
    path = tmp_path / "saved.jsonl"
    path.write_text(f"{REGISTER.to_json()}\n{line}\n")
    with pytest.raises(OperationsUnreadable, match="line 2 is no operation"):
        load_operations(path)


@pytest.mark.parametrize(
    "known_elsewhere",
    [
        op("atomic_status_transition", "revived", "a", at=(2, 3), value=["revived", "a"]),
        op(READ, at=(2, 3), value=["revived", "a"]),
    ],
    ids=["move", "reading"],
)
def test_a_status_of_another_pynenc_is_named_with_its_line(
    tmp_path: Path, known_elsewhere: Operation
) -> None:
    """Not so if it was refused, or never answered."""
    refusal = op("atomic_status_transition", "revived", "a", at=(2, 3), value="E", error=True)
    harmless = [REGISTER, refusal, replace(refusal, ending=Ending.UNKNOWN, value=None, end_ns=None)]
    path = tmp_path / "saved.jsonl"
    save_operations(harmless, path)
    assert load_operations(path) == harmless

    save_operations([*harmless, known_elsewhere], path)
    with pytest.raises(
        OperationsUnreadable, match="line 4: the installed pynenc has no status 'revived'"
    ):
        load_operations(path)
