"""Commands that read documents."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128

from pytest_pynenc_state.backends.mongo.server import arguments
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError
from pytest_pynenc_state.backends.mongo.server.filters import check_filter
from pytest_pynenc_state.backends.mongo.server.pipelines import checked_pipeline, counts_all
from pytest_pynenc_state.backends.mongo.server.projections import (
    checked_order,
    checked_projection,
)
from pytest_pynenc_state.backends.mongo.server.server import (
    Handler,
    Reply,
    Request,
    Server,
    target,
)
from pytest_pynenc_state.backends.mongo.server.wire import Document, encoded


def _find(server: Server, request: Request) -> Reply:
    fields = request.fields
    wanted = arguments.document(fields, "filter")
    check_filter(wanted)
    projection = checked_projection(arguments.document(fields, "projection"))
    order = checked_order(arguments.document(fields, "sort"))
    skip, limit = arguments.integer(fields, "skip", 0), arguments.integer(fields, "limit", 0)
    size = arguments.integer(fields, "batchSize", arguments.DEFAULT_BATCH)
    is_single = arguments.flag(fields, "singleBatch")
    collection = target(server, request, create=False)
    found: list[Document] = []
    if collection is not None:
        found = list(collection.find(wanted, None, skip, limit, sort=order))
    if projection is not None:
        found = [projection.of(document) for document in found]
    return server.cursors.first_batch(request.namespace, found, size, single=is_single)


def _get_more(server: Server, request: Request) -> Reply:
    cursor_id = arguments.required(request.fields, request.name)
    name = arguments.text(request.fields, "collection")
    size = arguments.integer(request.fields, "batchSize", 0)
    return server.cursors.next_batch(cursor_id, f"{request.database}.{name}", size)


def _kill_cursors(server: Server, request: Request) -> Reply:
    cursor_ids = arguments.required(request.fields, "cursors")
    killed = [cursor_id for cursor_id in cursor_ids if server.cursors.kill(cursor_id)]
    return {
        "cursorsKilled": killed,
        "cursorsNotFound": [cursor_id for cursor_id in cursor_ids if cursor_id not in killed],
        "cursorsAlive": [],
        "cursorsUnknown": [],
    }


def _count(server: Server, request: Request) -> Reply:
    wanted = arguments.document(request.fields, "query")
    check_filter(wanted)
    skip = arguments.integer(request.fields, "skip", 0)
    limit = arguments.integer(request.fields, "limit", 0)
    collection = target(server, request, create=False)
    if collection is None:
        return {"n": 0}
    count = max(0, collection.count_documents(wanted) - skip)
    return {"n": min(count, limit) if limit else count}


def _distinct(server: Server, request: Request) -> Reply:
    path = arguments.text(request.fields, "key")
    wanted = arguments.document(request.fields, "query")
    check_filter(wanted)
    collection = target(server, request, create=False)
    documents = () if collection is None else collection.find(wanted)
    # Not mongomock's: it takes 1 and True for the same value, and loses the order.
    distinct: dict[Any, Any] = {}
    for document in documents:
        for value in _values(document, path.split(".")):
            distinct.setdefault(_identity(value), value)
    return {"values": list(distinct.values())}


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    """The values at *path*: of arrays, those of all elements."""
    if isinstance(value, list):
        numbered = path and path[0].isdecimal() and int(path[0]) < len(value)
        if numbered:
            yield from _values(value[int(path[0])], path[1:])
        for element in value if not numbered else ():
            # An array within an array is a value, and hides its elements.
            yield from () if path and isinstance(element, list) else _below(element, path)
    else:
        yield from _below(value, path)


def _below(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _identity(value: Any) -> Any:
    """What two values have in common if MongoDB takes them for equal."""
    if isinstance(value, Decimal128):
        value = value.to_decimal()
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value if value == value else "NaN"  # noqa: PLR0124 - NaN differs from itself
    return encoded({"": value})


def _aggregate(server: Server, request: Request) -> Reply:
    if not isinstance(request.fields[request.name], str):
        stages = arguments.documents(request.fields, "pipeline")
        checked_pipeline(stages[:1])
        raise CommandError(Code.InvalidNamespace, "only collections can be aggregated")
    if "cursor" not in request.fields:
        raise CommandError(Code.FailedToParse, "The 'cursor' option is required")
    size = arguments.batch_size(request.fields)
    stages = arguments.documents(request.fields, "pipeline")
    if counts_all(stages):
        collection = server.namespaces.get(request.database, request.collection)
        results = [{"_id": 1, "n": collection.estimated_document_count()}]
        return server.cursors.first_batch(request.namespace, results, size)
    pipeline = checked_pipeline(stages)
    collection = target(server, request, create=False)
    results = [] if collection is None else list(collection.aggregate(pipeline))
    return server.cursors.first_batch(request.namespace, results, size)


HANDLERS: dict[str, Handler] = {
    "find": _find,
    "getMore": _get_more,
    "killCursors": _kill_cursors,
    "count": _count,
    "distinct": _distinct,
    "aggregate": _aggregate,
}
