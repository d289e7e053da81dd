"""Indexes: no query reads the documents of other apps, or all documents of its own.

They are made with the first document of a collection, whoever writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.backends.mongo.connection import Database, get_client
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import INDEXES
from pytest_pynenc_state.backends.mongo.schema import OrchestratorCollections as Orchestrator
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections as StateBackend
from pytest_pynenc_state.compat import AtomicServiceRun
from pytest_pynenc_state.conformance.areas import AREAS, purge
from pytest_pynenc_state.conformance.making import START
from pytest_pynenc_state.errors import BackendError

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
    keys = [list(model.document["key"]) for model in INDEXES.get(collection, [])]
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
    firsts = {
        name: {next(iter(model.document["key"])) for model in INDEXES[name]} for name, _ in queries
    }
    assert set(map(frozenset, firsts.values())) == {frozenset({"app_id"})}


def _indexes(database: Database) -> dict[str, set[str]]:
    """The names of the indexes of each collection that exists, but for that of the ``_id``."""
    here = get_client(database.url)[database.name]
    return {
        name: {index for index in here[name].index_information() if index != "_id_"}
        for name in here.list_collection_names()
    }


WANTED = {name: {model.document["name"] for model in models} for name, models in INDEXES.items()}


def test_every_collection_with_documents_has_its_indexes(pynenc_app: Pynenc) -> None:
    """Whatever was written to it first; and it keeps them when it is purged."""
    for number, area in enumerate(AREAS.values(), 1):
        area.write(pynenc_app, number)
    purge(pynenc_app)
    found = _indexes(pynenc_app.state_backend._database)
    assert (len(found) > 10, found) == (True, {name: WANTED[name] for name in found})


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("insert", [[{"_id": 1}]]),
        ("insert_new", [[{"_id": 1}]]),
        ("put", [[{"_id": 1}]]),
        ("exchange", [{"_id": 1}, ["_id"]]),
        ("update_or_add", [{"_id": 1}, {"$set": {"status": "new"}}]),
        ("upsert", [1, {"$set": {"status": "new"}}]),
    ],
)
def test_whatever_adds_a_document_makes_the_indexes(
    pynenc_app: Pynenc, method: str, arguments: list[Any]
) -> None:
    """The unique one too, before anybody could add two that it would refuse."""
    database = pynenc_app.orchestrator._database
    name = Orchestrator.ATOMIC_SERVICE_EXECUTIONS
    getattr(Documents(database, name), method)(*arguments)
    assert _indexes(database)[name] == WANTED[name]


def test_an_app_on_a_database_that_was_dropped_makes_its_indexes(
    pynenc_app: Pynenc, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """What another app of the same process remembers of it does not count."""
    _start_services(pynenc_app)
    database = pynenc_app.orchestrator._database
    get_client(database.url).drop_database(database.name)
    _start_services(pynenc_app_factory("later"))
    name = Orchestrator.ATOMIC_SERVICE_EXECUTIONS
    assert _indexes(database)[name] == WANTED[name]


def _start_services(app: Pynenc) -> None:
    run = AtomicServiceRun(runner_id="runner", atomic_service_run_id="run")
    app.orchestrator.record_atomic_service_execution_start(run, START)


def test_duplicates_that_are_there_already_are_an_error(pynenc_app: Pynenc) -> None:
    """And nobody writes again and again, as if his own document were one."""
    database = pynenc_app.orchestrator._database
    name = Orchestrator.ATOMIC_SERVICE_EXECUTIONS
    running = {"app_id": "app", "status": "running"}
    database.collection(name).insert_many([{**running, "_id": 1}, {**running, "_id": 2}])
    with pytest.raises(BackendError, match="one_running_execution"):
        Documents(database, name).upsert(3, {"$set": {"status": "new"}})
