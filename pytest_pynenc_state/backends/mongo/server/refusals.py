"""What this server refuses, because it could not do it as MongoDB does.

mongomock ignores some options, and gets some operators wrong without a word. A test that
passed on that would prove nothing, so here is named what may be used; everything else is
answered with an error. What MongoDB has and this server has not gets code 238
(NotImplemented); what MongoDB has not either gets the code that MongoDB gives.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pytest_pynenc_state.backends.mongo.server.errors import (
    CHANGE_STREAM_ON_STANDALONE,
    UNKNOWN_FIELD,
    Code,
    CommandError,
    refuse,
)
from pytest_pynenc_state.backends.mongo.server.wire import Document

#: Fields that any command may have, and that change nothing here.
TOLERATED = frozenset(
    {
        "$db",
        "$readPreference",
        "$clusterTime",
        "lsid",
        "comment",
        "maxTimeMS",
        "readConcern",
        "writeConcern",
        "let",
        "hint",
        "apiVersion",
        "apiStrict",
        "apiDeprecationErrors",
        "allowDiskUse",
        "bypassDocumentValidation",
        "noCursorTimeout",
        "allowPartialResults",
        "oplogReplay",
    }
)

#: Fields that each command may have besides.
COMMAND_FIELDS: Mapping[str, Collection[str]] = {
    "insert": {"documents", "ordered"},
    "update": {"updates", "ordered"},
    "delete": {"deletes", "ordered"},
    "find": {"filter", "projection", "sort", "skip", "limit", "batchSize", "singleBatch"},
    "getMore": {"collection", "batchSize"},
    "killCursors": {"cursors"},
    "aggregate": {"pipeline", "cursor"},
    "count": {"query", "skip", "limit", "fields"},
    "distinct": {"key", "query"},
    "findAndModify": {"query", "sort", "remove", "update", "new", "fields", "upsert"},
    "findandmodify": {"query", "sort", "remove", "update", "new", "fields", "upsert"},
    "create": {"autoIndexId"},
    "drop": (),
    "dropDatabase": (),
    "renameCollection": {"to", "dropTarget"},
    "listCollections": {"filter", "nameOnly", "cursor", "authorizedCollections"},
    "listDatabases": {"filter", "nameOnly", "authorizedDatabases"},
    "createIndexes": {"indexes", "commitQuorum"},
    "listIndexes": {"cursor"},
    "dropIndexes": {"index"},
    "deleteIndexes": {"index"},
}

#: The fields of one statement of an update and of a delete command.
UPDATE_FIELDS = frozenset({"q", "u", "multi", "upsert", "hint"})
DELETE_FIELDS = frozenset({"q", "limit", "hint"})

#: The fields that describe an index to create.
INDEX_FIELDS = frozenset(
    {
        "key",
        "name",
        "v",
        "background",
        "unique",
        "sparse",
        "partialFilterExpression",
        "expireAfterSeconds",
    }
)

#: Options that MongoDB has, and why they are refused. Empty ones are as good as none.
REFUSED_OPTIONS = {
    "collation": "strings are compared by their characters only",
    "arrayFilters": "array elements can be updated only by their number",
    "sort": "an update changes the first document that matches",
    "c": "variables are not known in filters",
    "explain": "there are no query plans",
    "min": "there are no index bounds",
    "max": "there are no index bounds",
    "returnKey": "there are no index bounds",
    "showRecordId": "documents have no record ids",
    "tailable": "there are no capped collections",
    "awaitData": "there are no capped collections",
    "exchange": "there are no shards",
    "capped": "collections are never full",
    "size": "collections are never full",
    "viewOn": "there are no views",
    "pipeline": "there are no views",
    "timeseries": "there are no time series",
    "validator": "documents are not validated",
    "validationLevel": "documents are not validated",
    "validationAction": "documents are not validated",
    "clusteredIndex": "there are no clustered collections",
    "changeStreamPreAndPostImages": "there are no change streams",
    "storageEngine": "there is one storage engine",
    "indexOptionDefaults": "there is one storage engine",
    "expireAfterSeconds": "there are no time series",
    "expireAfter": "there are no time series",
    "encryptedFields": "there is no encryption",
    "weights": "there are no text indexes",
    "default_language": "there are no text indexes",
    "hidden": "there is no query planner",
    "wildcardProjection": "there are no wildcard indexes",
}

#: What a filter may use on a field, and at its top.
FIELD_OPERATORS = frozenset(
    {
        "$eq",
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$in",
        "$nin",
        "$all",
        "$exists",
        "$type",
        "$size",
        "$elemMatch",
        "$not",
        "$regex",
        "$options",
    }
)
TOP_OPERATORS = frozenset({"$and", "$or", "$nor", "$expr", "$comment"})

#: What MongoDB's filters have besides.
REFUSED_FILTERS = {
    "$where": "there is no JavaScript",
    "$text": "there are no text indexes",
    "$jsonSchema": "documents are not validated",
    "$mod": "mongomock does not know it",
    "$rand": "mongomock does not know it",
    "$sampleRate": "mongomock does not know it",
    "$bitsAllClear": "mongomock does not know it",
    "$bitsAllSet": "mongomock does not know it",
    "$bitsAnyClear": "mongomock does not know it",
    "$bitsAnySet": "mongomock does not know it",
    "$geoIntersects": "there are no positions on a globe",
    "$geoWithin": "there are no positions on a globe",
    "$near": "there are no positions on a globe",
    "$nearSphere": "there are no positions on a globe",
    "$maxDistance": "there are no positions on a globe",
    "$minDistance": "there are no positions on a globe",
}

#: The types that ``$type`` may name; mongomock takes ints for longs, and the other way.
TYPES = frozenset(
    {
        "double",
        "string",
        "object",
        "array",
        "binData",
        "objectId",
        "bool",
        "date",
        "decimal",
        "number",
    }
)

UPDATE_OPERATORS = frozenset(
    {
        "$set",
        "$setOnInsert",
        "$unset",
        "$inc",
        "$min",
        "$max",
        "$rename",
        "$currentDate",
        "$push",
        "$addToSet",
        "$pull",
        "$pullAll",
        "$pop",
    }
)
REFUSED_UPDATES = {
    "$mul": "mongomock does not know it",
    "$bit": "mongomock does not know it",
}

STAGES = frozenset(
    {
        "$match",
        "$project",
        "$addFields",
        "$set",
        "$group",
        "$sort",
        "$limit",
        "$skip",
        "$unwind",
        "$lookup",
        "$count",
        "$replaceRoot",
        "$sample",
    }
)
_IN_PLACE = "mongomock lets its pipelines change each other's documents"
_UNKNOWN = "mongomock does not know it"
REFUSED_STAGES = {
    "$facet": _IN_PLACE,
    "$out": "mongomock drops the target's indexes",
    "$bucket": "mongomock sorts its boundaries by Python's rules",
    "$graphLookup": "mongomock copies its results only in part",
    "$collStats": "only what drivers count documents with is known",
    "$merge": _UNKNOWN,
    "$bucketAuto": _UNKNOWN,
    "$currentOp": _UNKNOWN,
    "$geoNear": _UNKNOWN,
    "$indexStats": _UNKNOWN,
    "$densify": _UNKNOWN,
    "$documents": _UNKNOWN,
    "$fill": _UNKNOWN,
    "$listLocalSessions": _UNKNOWN,
    "$listSessions": _UNKNOWN,
    "$planCacheStats": _UNKNOWN,
    "$redact": _UNKNOWN,
    "$replaceWith": _UNKNOWN,
    "$search": _UNKNOWN,
    "$setWindowFields": _UNKNOWN,
    "$sortByCount": _UNKNOWN,
    "$unionWith": _UNKNOWN,
    "$unset": _UNKNOWN,
}

#: What ``$group`` may compute; ``$addToSet`` would turn 0 and "" into null.
ACCUMULATORS = frozenset({"$sum", "$avg", "$min", "$max", "$first", "$last", "$push"})

#: What expressions may use. Not ``$not``, which mongomock takes for false if written as
#: MongoDB documents it, and no function that it gives up on if a field is missing.
EXPRESSIONS = frozenset(
    {
        "$literal",
        "$eq",
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$and",
        "$or",
        "$cond",
        "$ifNull",
        "$in",
        "$add",
        "$subtract",
        "$multiply",
        "$divide",
        "$concat",
        "$size",
        "$arrayElemAt",
        "$concatArrays",
        "$filter",
        "$map",
    }
)


def check_command(name: str, fields: Document) -> None:
    """Refuse the options of a command that would be ignored or done wrongly.

    :raises CommandError: Nothing was done.
    """
    known = COMMAND_FIELDS.get(name)
    if known is None:  # one that only talks about the connection
        return
    for field in fields:
        if field not in known and field not in TOLERATED and field != name:
            refuse_field(name, field, fields[field])
    write_concern = fields.get("writeConcern")
    if write_concern is not None:
        _check_write_concern(write_concern)


def refuse_field(where: str, field: str, value: object) -> None:
    """Refuse a field of *where*, unless it says nothing.

    :raises CommandError: NotImplemented, or that MongoDB has no such field either.
    """
    if field in {"startTransaction", "autocommit", "txnNumber"}:
        message = "Transaction numbers are only allowed on a replica set member or mongos"
        raise CommandError(Code.IllegalOperation, message)
    if field not in REFUSED_OPTIONS:
        raise CommandError(UNKNOWN_FIELD, f"BSON field '{where}.{field}' is an unknown field.")
    if value:
        refuse(f"option '{field}' of {where}", REFUSED_OPTIONS[field])


def check_fields(where: str, fields: Document, known: Collection[str]) -> None:
    """Refuse all fields of *where* but those that are *known*.

    :raises CommandError: NotImplemented, or that MongoDB has no such field either.
    """
    for field in fields:
        if field not in known:
            refuse_field(where, field, fields[field])


def check_stage(stage: str) -> None:
    """Refuse a stage of a pipeline.

    :raises CommandError: NotImplemented, or that MongoDB has no such stage either.
    """
    if stage in STAGES:
        return
    if stage == "$changeStream":
        message = "The $changeStream stage is only supported on replica sets"
        raise CommandError(CHANGE_STREAM_ON_STANDALONE, message)
    if stage in REFUSED_STAGES:
        refuse(f"stage {stage}", REFUSED_STAGES[stage])
    raise CommandError(_UNKNOWN_STAGE, f"Unrecognized pipeline stage name: '{stage}'")


_UNKNOWN_STAGE = 40324


def check_operator(kind: str, operator: str, refused: Mapping[str, str], code: int) -> None:
    """Refuse an operator that is not known.

    :param refused: Those that MongoDB has, and why they are refused.
    :param code: What MongoDB says about those that it has not.
    :raises CommandError: Always.
    """
    if operator in refused:
        refuse(f"{kind} {operator}", refused[operator])
    raise CommandError(code, f"unknown {kind}: {operator}")


def _check_write_concern(concern: object) -> None:
    acknowledgements = concern.get("w", 1) if isinstance(concern, dict) else concern
    if acknowledgements not in {0, 1, "majority"}:
        message = "cannot use 'w' > 1 when a host is not replicated"
        raise CommandError(Code.BadValue, message)
