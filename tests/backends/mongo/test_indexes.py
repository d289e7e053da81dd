"""Indexes: no query reads the documents of other apps, or all documents of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import ORCHESTRATOR_INDEXES, STATE_BACKEND_INDEXES
from pytest_pynenc_state.backends.mongo.schema import OrchestratorCollections as Orchestrator
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections as StateBackend
from tests.backends.areas import AREAS, purge

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = pytest.mark.pynenc_backends("mongomock", "mongo")

# What asks for everything that an app has there, or for the newest of it.
WHOLE = {
    (StateBackend.WORKFLOWS, ("app_id",)),
    (StateBackend.INVOCATIONS, ("app_id",)),
    (StateBackend.HISTORY, ("app_id",)),
    (Orchestrator.BLOCKING_EDGES, ("app_id",)),
    (Orchestrator.INVOCATIONS, ("app_id",)),
}
READS = ("find", "find_one", "count", "distinct", "update", "delete")


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """Collection and fields of every filter that is sent from now on."""
    seen: list[tuple[str, tuple[str, ...]]] = []

    def recording(name: str) -> Any:
        original = getattr(Documents, name)

        def record(documents: Documents, *arguments: Any, **options: Any) -> Any:
            wanted = next(each for each in arguments if isinstance(each, dict))
            seen.extend((documents._name, fields) for fields in _branches(wanted))
            return original(documents, *arguments, **options)

        return record

    for name in READS:
        monkeypatch.setattr(Documents, name, recording(name))
    return seen


def _branches(wanted: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The fields of a filter, once for each of its alternatives."""
    fields = tuple(field for field in wanted if field != "$or")
    alternatives = wanted.get("$or", [{}])
    # Alternatives beside a range only narrow it.
    if "timestamp_us" in fields:
        alternatives = [{}]
    for alternative in alternatives:
        yield (*fields, *alternative)


def _is_indexed(collection: str, fields: tuple[str, ...]) -> bool:
    if "_id" in fields and "app_id" not in fields:
        return True
    models = {**STATE_BACKEND_INDEXES, **ORCHESTRATOR_INDEXES}.get(collection, [])
    keys = [list(model.document["key"]) for model in models]
    return any(key[0] in fields and set(key[1:2]) <= set(fields) and len(key) > 1 for key in keys)


def test_every_query_has_an_index(
    pynenc_app: Pynenc, queries: list[tuple[str, tuple[str, ...]]]
) -> None:
    """By its key, or by an index on the app and one more of its fields.

    Only what reads all that an app has in a collection needs no more than the app.
    """
    for number, area in enumerate(AREAS.values(), 1):
        area.write(pynenc_app, number)
        area.read(pynenc_app)
    pynenc_app.orchestrator.auto_purge()
    list(pynenc_app.orchestrator.get_pending_invocations_for_recovery())
    list(pynenc_app.orchestrator.get_running_invocations_for_recovery())
    unindexed = {query for query in queries if not _is_indexed(*query)}
    assert (len(queries) > 40, unindexed - WHOLE) == (True, set())


def test_a_purge_goes_by_app(
    pynenc_app: Pynenc, queries: list[tuple[str, tuple[str, ...]]]
) -> None:
    """Every collection has an index that begins with the app."""
    purge(pynenc_app)
    models = {**STATE_BACKEND_INDEXES, **ORCHESTRATOR_INDEXES}
    firsts = {
        name: {next(iter(model.document["key"])) for model in models[name]} for name, _ in queries
    }
    assert set(map(frozenset, firsts.values())) == {frozenset({"app_id"})}
