"""Commands about databases and collections as such."""

from __future__ import annotations

from typing import Any

from mongomock.filtering import filter_applies

from pytest_pynenc_state.backends.mongo.server import arguments
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, refuse
from pytest_pynenc_state.backends.mongo.server.filters import check_filter
from pytest_pynenc_state.backends.mongo.server.namespaces import Stored
from pytest_pynenc_state.backends.mongo.server.server import Handler, Reply, Request, Server
from pytest_pynenc_state.backends.mongo.server.wire import Document


def _create(server: Server, request: Request) -> Reply:
    server.namespaces.create(request.database, request.collection)
    return {}


def _drop(server: Server, request: Request) -> Reply:
    collection = server.namespaces.find(request.database, request.collection)
    if collection is None:
        raise CommandError(Code.NamespaceNotFound, "ns not found")
    index_count = len(list(collection.list_indexes()))
    server.namespaces.drop(request.database, request.collection)
    server.cursors.kill_of_collection(request.namespace)
    return {"nIndexesWas": index_count, "ns": request.namespace}


def _drop_database(server: Server, request: Request) -> Reply:
    server.cursors.kill_of_database(request.database)
    existed = server.namespaces.drop_database(request.database)
    return {"dropped": request.database} if existed else {}


def _rename(server: Server, request: Request) -> Reply:
    source = arguments.text(request.fields, request.name)
    database, _, old = source.partition(".")
    new_database, _, new = arguments.text(request.fields, "to").partition(".")
    if new_database != database:
        refuse("renameCollection", "the new name is in another database")
    server.namespaces.get(database, old)
    if server.namespaces.find(database, new) is not None:
        if old == new or not arguments.flag(request.fields, "dropTarget"):
            raise CommandError(Code.NamespaceExists, "target namespace exists")
        server.namespaces.drop(database, new)
        server.cursors.kill_of_collection(f"{database}.{new}")
    server.namespaces.rename(database, old, new)
    server.cursors.kill_of_collection(source)
    return {}


def _list_collections(server: Server, request: Request) -> Reply:
    stored = server.namespaces.collections(request.database)
    described = _matching(request, [_described(*item) for item in stored.items()])
    if arguments.flag(request.fields, "nameOnly"):
        described = [{"name": one["name"], "type": one["type"]} for one in described]
    size = arguments.batch_size(request.fields)
    namespace = f"{request.database}.$cmd.listCollections"
    return server.cursors.first_batch(namespace, described, size)


def _described(name: str, stored: Stored) -> Document:
    return {
        "name": name,
        "type": "collection",
        "options": {},
        "info": {"readOnly": False, "uuid": stored.unique_id},
        "idIndex": {"v": 2, "key": {"_id": 1}, "name": "_id_"},
    }


def _list_databases(server: Server, request: Request) -> Reply:
    described: list[Document] = [
        {"name": name, "sizeOnDisk": 0, "empty": False} for name in server.namespaces.databases()
    ]
    shown = _matching(request, described)
    if arguments.flag(request.fields, "nameOnly"):
        return {"databases": [{"name": one["name"]} for one in shown]}
    return {"databases": shown, "totalSize": 0}


def _matching(request: Request, described: list[Document]) -> list[Any]:
    wanted = arguments.document(request.fields, "filter")
    check_filter(wanted)
    # mongomock has no annotations.
    return [one for one in described if filter_applies(wanted, one)]  # type: ignore[no-untyped-call]


HANDLERS: dict[str, Handler] = {
    "create": _create,
    "drop": _drop,
    "dropDatabase": _drop_database,
    "renameCollection": _rename,
    "listCollections": _list_collections,
    "listDatabases": _list_databases,
}
