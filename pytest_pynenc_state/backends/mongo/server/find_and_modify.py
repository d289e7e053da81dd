"""The command that finds one document, changes or removes it, and returns it."""

from __future__ import annotations

from typing import Any

from pytest_pynenc_state.backends.mongo.server import arguments
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError
from pytest_pynenc_state.backends.mongo.server.filters import check_filter
from pytest_pynenc_state.backends.mongo.server.namespaces import Collection
from pytest_pynenc_state.backends.mongo.server.projections import (
    Projection,
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
from pytest_pynenc_state.backends.mongo.server.updates import Update, checked_update
from pytest_pynenc_state.backends.mongo.server.wire import Document


def _find_and_modify(server: Server, request: Request) -> Reply:
    fields = request.fields
    wanted = arguments.document(fields, "query")
    check_filter(wanted)
    order = checked_order(arguments.document(fields, "sort"))
    projection = checked_projection(arguments.document(fields, "fields"))
    update = _checked_update(fields, wanted)
    collection = target(server, request, create=update is not None and update.upsert)
    # The document is chosen first and then named by its _id.
    found = None if collection is None else collection.find_one(wanted, sort=order)
    if update is None:
        return _remove(collection, found, projection)
    if collection is None or (found is None and not update.upsert):
        return _reply(None, n=0, updatedExisting=False)
    if found is None:
        return _upsert(collection, update, fields, projection)
    one = Update({"_id": found["_id"]}, update.change, update.is_replacement, False, False)
    wants_new = arguments.flag(fields, "new")
    one.apply_to(collection)
    value = collection.find_one({"_id": found["_id"]}) if wants_new else found
    return _reply(_shown(value, projection), n=1, updatedExisting=True)


def _checked_update(fields: Document, wanted: Document) -> Update | None:
    """The update to do; None if the document is to be removed."""
    is_removal = arguments.flag(fields, "remove")
    if is_removal == ("update" in fields):
        message = "Either an update or remove=true must be specified"
        raise CommandError(Code.FailedToParse, message)
    upsert = arguments.flag(fields, "upsert")
    if is_removal and (upsert or arguments.flag(fields, "new")):
        message = "Cannot specify 'new' or 'upsert' together with remove=true"
        raise CommandError(Code.FailedToParse, message)
    if is_removal:
        return None
    return checked_update(wanted, fields["update"], multi=False, upsert=upsert)


def _remove(
    collection: Collection | None, found: Document | None, projection: Projection | None
) -> Reply:
    if collection is None or found is None:
        return _reply(None, n=0)
    collection.delete_one({"_id": found["_id"]})
    return _reply(_shown(found, projection), n=1)


def _upsert(
    collection: Collection, update: Update, fields: Document, projection: Projection | None
) -> Reply:
    (inserted_id,) = update.apply_to(collection).upserted_id
    wants_new = arguments.flag(fields, "new")
    value = _shown(collection.find_one({"_id": inserted_id}), projection) if wants_new else None
    return _reply(value, n=1, updatedExisting=False, upserted=inserted_id)


def _shown(document: Document, projection: Projection | None) -> Document:
    shown = document if projection is None else projection.of(document)
    # mongomock puts it behind. BSON has it in front of a whole document by itself, but not of
    # one within a reply.
    return {"_id": shown["_id"], **shown} if "_id" in shown else shown


def _reply(value: Document | None, **last_error: Any) -> Reply:
    return {"lastErrorObject": last_error, "value": value}


HANDLERS: dict[str, Handler] = {
    "findAndModify": _find_and_modify,
    "findandmodify": _find_and_modify,
}
