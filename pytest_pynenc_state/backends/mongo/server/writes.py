"""Commands that insert, update and delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bson.objectid import ObjectId

from pytest_pynenc_state.backends.mongo.server import arguments
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, translated
from pytest_pynenc_state.backends.mongo.server.filters import check_filter
from pytest_pynenc_state.backends.mongo.server.handshake import MAX_STATEMENTS
from pytest_pynenc_state.backends.mongo.server.namespaces import Collection
from pytest_pynenc_state.backends.mongo.server.refusals import (
    DELETE_FIELDS,
    UPDATE_FIELDS,
    check_fields,
)
from pytest_pynenc_state.backends.mongo.server.server import (
    Handler,
    Reply,
    Request,
    Server,
    target,
)
from pytest_pynenc_state.backends.mongo.server.updates import (
    Updated,
    check_storable,
    checked_update,
)
from pytest_pynenc_state.backends.mongo.server.wire import Document

Outcome = TypeVar("Outcome")


def _insert(server: Server, request: Request) -> Reply:
    documents = _statements(request, "documents")
    collection = server.namespaces.find_or_create(request.database, request.collection)
    inserted, errors = _each(request, documents, lambda document: _insert_one(collection, document))
    return _reply({"n": len(inserted)}, errors)


def _insert_one(collection: Collection, document: Document) -> None:
    check_storable(document)
    if next(iter(document), None) != "_id":
        document = {"_id": document.get("_id", ObjectId()), **document}
    collection.insert_one(document)


def _update(server: Server, request: Request) -> Reply:
    statements = _statements(request, "updates")
    done, errors = _each(
        request, statements, lambda statement: _update_by(server, request, statement)
    )
    reply: Document = {
        "n": sum(updated.matched for _, updated in done),
        "nModified": sum(updated.modified for _, updated in done),
    }
    upserted = [
        {"index": index, "_id": updated.upserted_id[0]}
        for index, updated in done
        if updated.upserted_id
    ]
    if upserted:
        reply["upserted"] = upserted
    return _reply(reply, errors)


def _update_by(server: Server, request: Request, statement: Document) -> Updated:
    check_fields("update.updates", statement, UPDATE_FIELDS)
    wanted = arguments.document(statement, "q")
    check_filter(wanted)
    update = checked_update(
        wanted,
        arguments.required(statement, "u"),
        multi=arguments.flag(statement, "multi"),
        upsert=arguments.flag(statement, "upsert"),
    )
    collection = target(server, request, create=update.upsert)
    return Updated() if collection is None else update.apply_to(collection)


def _delete(server: Server, request: Request) -> Reply:
    statements = _statements(request, "deletes")
    collection = target(server, request, create=False)
    done, errors = _each(request, statements, lambda statement: _delete_by(collection, statement))
    return _reply({"n": sum(count for _, count in done)}, errors)


def _delete_by(collection: Collection | None, statement: Document) -> int:
    check_fields("delete.deletes", statement, DELETE_FIELDS)
    wanted = arguments.document(statement, "q")
    check_filter(wanted)
    limit = arguments.integer(statement, "limit", 0)
    if limit > 1:
        message = f"The limit field in delete objects must be 0 or 1. Got {limit}"
        raise CommandError(Code.FailedToParse, message)
    if collection is None:
        return 0
    delete = collection.delete_one if limit else collection.delete_many
    return int(delete(wanted).deleted_count)


def _statements(request: Request, name: str) -> list[Document]:
    statements = arguments.documents(request.fields, name)
    if not 1 <= len(statements) <= MAX_STATEMENTS:
        message = (
            f"Write batch sizes must be between 1 and {MAX_STATEMENTS}. "
            f"Got {len(statements)} operations."
        )
        raise CommandError(Code.InvalidLength, message)
    return statements


def _each(
    request: Request, statements: list[Document], work: Callable[[Document], Outcome]
) -> tuple[list[tuple[int, Outcome]], list[Document]]:
    """Do *work* for each statement, up to the first error if they are ordered.

    :returns: The outcomes with the numbers of their statements, and the errors.
    """
    is_ordered = arguments.flag(request.fields, "ordered", default=True)
    done: list[tuple[int, Outcome]] = []
    errors: list[Document] = []
    for index, statement in enumerate(statements):
        try:
            done.append((index, work(statement)))
        except Exception as error:  # noqa: BLE001 - one statement's error is part of the answer
            errors.append(translated(error).as_write_error(index))
            if is_ordered:
                break
    return done, errors


def _reply(reply: Document, errors: list[Document]) -> Reply:
    return {**reply, "writeErrors": errors} if errors else reply


HANDLERS: dict[str, Handler] = {"insert": _insert, "update": _update, "delete": _delete}
