"""Commands about indexes."""

from __future__ import annotations

from typing import Any, NoReturn

from bson.regex import Regex

from pytest_pynenc_state.backends.mongo.server import arguments
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, refuse
from pytest_pynenc_state.backends.mongo.server.filters import check_filter
from pytest_pynenc_state.backends.mongo.server.namespaces import Collection
from pytest_pynenc_state.backends.mongo.server.refusals import INDEX_FIELDS, check_fields
from pytest_pynenc_state.backends.mongo.server.server import Handler, Reply, Request, Server
from pytest_pynenc_state.backends.mongo.server.wire import Document

_ID_INDEX = "_id_"

# What makes an index another index; the other options can only conflict.
_IDENTITY = ("key", "unique", "sparse", "partialFilterExpression")
_OPTIONS = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")

# What may choose the documents of an index.
_PARTIAL_OPERATORS = frozenset(
    {"$eq", "$gt", "$gte", "$lt", "$lte", "$in", "$type", "$exists"},
)


def _create(server: Server, request: Request) -> Reply:
    wanted = [_specified(index) for index in arguments.documents(request.fields, "indexes")]
    if not wanted:
        raise CommandError(Code.BadValue, "Must specify at least one index to create")
    is_new = server.namespaces.find(request.database, request.collection) is None
    collection = server.namespaces.find_or_create(request.database, request.collection)
    before = len(_indexes(collection))
    _create_all(collection, wanted)
    after = len(_indexes(collection))
    reply: Document = {
        "numIndexesBefore": before,
        "numIndexesAfter": after,
        "createdCollectionAutomatically": is_new,
    }
    if before == after:
        reply["note"] = "all indexes already exist"
    return reply


def _specified(index: Document) -> Document:
    check_fields("createIndexes.indexes", index, INDEX_FIELDS)
    key = arguments.document(index, "key")
    _check_key(key)
    partial = arguments.document(index, "partialFilterExpression")
    check_filter(partial)
    _check_partial(partial)
    options = {name: index[name] for name in _OPTIONS if index.get(name) not in (None, False)}
    return {"key": key, "name": arguments.text(index, "name"), **options}


def _check_partial(wanted: Document) -> None:
    for name, condition in wanted.items():
        if name in {"$and", "$or"}:
            for part in condition:
                _check_partial(part)
        elif name.startswith("$") or isinstance(condition, Regex):
            _refuse_partial(name)
        elif isinstance(condition, dict) and next(iter(condition)).startswith("$"):
            if not condition.get("$exists", True):
                _refuse_partial("$exists: false")
            for operator in condition.keys() - _PARTIAL_OPERATORS:
                _refuse_partial(operator)


def _refuse_partial(what: str) -> NoReturn:
    message = f"unsupported expression in partial index: {what}"
    raise CommandError(Code.CannotCreateIndex, message)


def _check_key(key: Document) -> None:
    if not key:
        raise CommandError(Code.CannotCreateIndex, "Index keys cannot be empty.")
    for field, direction in key.items():
        if isinstance(direction, str) or "$" in field:
            refuse(f"an index on {field}: {direction!r}", "only 1 and -1 are")
        if isinstance(direction, bool) or not isinstance(direction, int | float) or not direction:
            message = f"Values in the index key pattern must be 1 or -1, got {direction!r}"
            raise CommandError(Code.CannotCreateIndex, message)


def _create_all(collection: Collection, wanted: list[Document]) -> None:
    created: list[str] = []
    try:
        for index in wanted:
            if not _exists(collection, index):
                _create_one(collection, index)
                created.append(index["name"])
    except Exception:
        # All of a command's indexes are made, or none.
        for name in created:
            collection.drop_index(name)
        raise


def _create_one(collection: Collection, index: Document) -> None:
    options = {name: value for name, value in index.items() if name != "key"}
    collection.create_index(list(index["key"].items()), **options)


def _exists(collection: Collection, wanted: Document) -> bool:
    """Whether there is such an index already.

    :raises CommandError: There is one that it would conflict with.
    """
    if wanted["key"] == {"_id": 1}:
        return True
    for index in _indexes(collection):
        same_name, same_index = index["name"] == wanted["name"], _same(index, wanted)
        if same_name and same_index and _options(index) == _options(wanted):
            return True
        if same_index:
            message = f"Index already exists with a different name or options: {index['name']}"
            raise CommandError(Code.IndexOptionsConflict, message)
        if same_name:
            message = f"An existing index has the same name as the requested index: {wanted}"
            raise CommandError(Code.IndexKeySpecsConflict, message)
    return False


def _same(one: Document, other: Document) -> bool:
    same_order = list(one["key"]) == list(other["key"])
    return same_order and all(one.get(name) == other.get(name) for name in _IDENTITY)


def _options(index: Document) -> list[Any]:
    return [index.get(name) for name in _OPTIONS]


def _indexes(collection: Collection) -> list[Document]:
    return list(collection.list_indexes())


def _list(server: Server, request: Request) -> Reply:
    collection = server.namespaces.get(request.database, request.collection)
    size = arguments.batch_size(request.fields)
    listed = [
        {"v": 2, "key": dict(index["key"]), "name": index["name"], **_set_options(index)}
        for index in _indexes(collection)
    ]
    return server.cursors.first_batch(request.namespace, listed, size)


def _set_options(index: Document) -> Document:
    return {name: index[name] for name in _OPTIONS if name in index}


def _drop(server: Server, request: Request) -> Reply:
    collection = server.namespaces.get(request.database, request.collection)
    indexes = _indexes(collection)
    for name in _doomed(indexes, arguments.required(request.fields, "index")):
        # One by one: mongomock's drop_indexes would go on expiring documents.
        collection.drop_index(name)
    return {"nIndexesWas": len(indexes)}


def _doomed(indexes: list[Document], chosen: Any) -> list[str]:
    """The names of the indexes to drop; all of them exist.

    :param chosen: A name, ``"*"``, a key, or a list of names.
    """
    names = [index["name"] for index in indexes]
    if chosen == "*":
        return [name for name in names if name != _ID_INDEX]
    if isinstance(chosen, dict):
        found = [i["name"] for i in indexes if list(i["key"].items()) == list(chosen.items())]
        wanted = found[:1] or [str(chosen)]
    else:
        wanted = chosen if isinstance(chosen, list) else [chosen]
    for name in wanted:
        if name not in names:
            raise CommandError(Code.IndexNotFound, f"index not found with name [{name}]")
        if name == _ID_INDEX:
            raise CommandError(Code.InvalidOptions, "cannot drop _id index")
    return wanted


HANDLERS: dict[str, Handler] = {
    "createIndexes": _create,
    "listIndexes": _list,
    "dropIndexes": _drop,
    "deleteIndexes": _drop,
}
