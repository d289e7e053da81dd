"""The indexed store answers what plain mongomock answers, and its maps are always right."""

from __future__ import annotations

from typing import Any

import pytest
from mongomock import collection as mongomock_collection

from pytest_pynenc_state.backends.mongo.server.indexing import collection as indexed_collection
from pytest_pynenc_state.backends.mongo.server.indexing import table as table_module
from pytest_pynenc_state.backends.mongo.server.indexing.sorting import SortedMap
from pytest_pynenc_state.backends.mongo.server.indexing.table import Table
from tests.mongo.server.indexed_programs import Pair, Program, SequentialIds

_STEPS = 40


def _maps(table: Table) -> dict[str, Any]:
    """Everything a table knows beside its documents."""
    return {
        "lookups": {paths: (m.buckets, m.odd) for paths, m in table.lookups.items()},
        "guards": {name: (g.keymap.buckets, g.keymap.odd) for name, g in table.guards.items()},
        "sorted": {paths: (m._entries, m._odd) for paths, m in table.sorted_maps.items()},
    }


def _rebuilt(store: Any) -> Table:
    table = Table()
    table.records = store.table.records
    table.lookups = {}
    table.add_index("_id_", {"key": [("_id", 1)]}, "")
    for name, index in store.indexes.items():
        table.add_index(name, index, "")
    for paths in store.table.sorted_maps:
        table.sorted_maps[paths] = SortedMap(paths, table.records)
    return table


@pytest.mark.parametrize("block", range(10))
def test_random_programs_have_the_outcomes_of_plain_mongomock(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Indexes make nothing else come out; the maps of each program are those of its end."""
    # The sorted lists are to be used, although the programs are small.
    monkeypatch.setattr(table_module, "_FEW", 0)
    for seed in range(block * 40, block * 40 + 40):
        ids = SequentialIds()
        monkeypatch.setattr(indexed_collection, "ObjectId", ids)
        monkeypatch.setattr(mongomock_collection, "ObjectId", ids)
        program, pair = Program(seed), Pair(ids)
        for step in [*program.indexes(), *(program.step() for _ in range(_STEPS))]:
            try:
                pair.call(*step)
            except AssertionError as error:
                error.add_note(f"program {seed}: {step}")
                raise
        assert _maps(pair.ours._store.table) == _maps(_rebuilt(pair.ours._store))
