"""Seeded random programs, run step by step on the indexed store and on plain mongomock.

Intended differences, and how `Pair` deals with them:

- A failed update leaves plain mongomock's document half changed. Afterwards each document of
  ours must be what it was or what plain mongomock made of it; plain takes over ours.
- Plain mongomock calls 2 and 2.0, or another order of fields, no modification. Ours must be
  the number of documents whose BSON changed.
- Plain mongomock shares one pushed or set value between all documents of an update, so that a
  later update of one changes the others. Its documents are parted after each step.
- Plain mongomock does not know that arrays conflict in unique indexes by their elements, fails
  on unhashable values in sparse ones, and checks all documents when a partial one is made. No
  unique index of a program is on such a field, and partial ones are made on no documents.
- Plain mongomock takes an explicit null in a sparse unique index for nothing. Programs with
  such an index store none there.
- Plain mongomock cannot take back the refused update of a document whose _id is a document.
  There are none where there is a unique index.
- Plain mongomock tries a filter on every document, and so notices an operator that it does
  not know behind a condition that holds for few. Such operators stand alone in the programs.
- Plain mongomock does not look at the filter of an aggregation of no documents.
"""

from __future__ import annotations

import copy
import datetime as dt
import random
import warnings
from collections.abc import Callable
from typing import Any

import bson
from bson import Code, ObjectId
from pymongo.errors import DuplicateKeyError

from pytest_pynenc_state.backends.mongo.server.clients import StorageClient
from pytest_pynenc_state.backends.mongo.server.fields import FieldsCollection
from pytest_pynenc_state.backends.mongo.server.storage import open_client

_SCALARS = [None, 0, 1, 2, 3, 1.0, 2.5, True, False, "a", "b", "c"]
_DATES = [dt.datetime(2026, 1, day, microsecond=123456) for day in (1, 2)]  # noqa: DTZ001 - BSON
_ODD = [*_DATES, ObjectId("0" * 24), Code("a"), {"x": 1, "y": 2}, {"y": 2, "x": 1}, {}, b"a"]
_ARRAYS = [[], [1], [1, 2], [2, 1.0], ["a", None], [[1, 2], 3], [{"k": 1}], ["0" * 24]]

_UNIQUE = [
    {"keys": [("u", 1)], "unique": True},
    {"keys": [("u", 1)], "unique": True, "sparse": True},
    {"keys": [("b", 1), ("u", 1)], "unique": True},
    {"keys": [("u", 1)], "unique": True, "partialFilterExpression": {"b": {"$gt": 0}}},
    {"keys": [("d.x", 1)], "unique": True},
]
_INDEXES = [
    [("a", 1)],
    [("t", 1)],
    [("l.k", 1)],
    [("a", 1), ("b", 1), ("n", 1)],
    [("b", 1), ("n", 1), ("_id", 1)],
    [("b", 1), ("d.x", -1)],
    [("t", 1), ("a", 1)],
    [("n", 1)],
]


class Program(random.Random):
    """A source of random operations.

    :ivar is_unique: Whether the collection has a unique index.
    """

    is_unique = False
    _is_sparse = False

    def value(self) -> Any:
        """Return a value of any kind."""
        return copy.deepcopy(self.choice(self.choice([_SCALARS, _SCALARS, _ODD, _ARRAYS])))

    def scalar(self) -> Any:
        """Return a value that a unique index may hold."""
        return self.choice(_SCALARS)

    def unique(self) -> Any:
        """Return a value for the field that most unique indexes are on."""
        return self.choice(_SCALARS[1:] if self._is_sparse else _SCALARS)

    def document(self) -> dict[str, Any]:
        """Return a document to insert."""
        fields = {
            "a": self.value,
            "b": lambda: self.randrange(3),
            "n": lambda: self.randrange(20),
            "u": self.unique,
            "t": lambda: copy.deepcopy(self.choice(_ARRAYS)),
            "l": lambda: [{"k": self.scalar()} for _ in range(self.randrange(3))],
            "d": lambda: {"x": self.scalar()} if self.random() < 0.8 else {},
        }
        chosen = self.sample(sorted(fields), self.randint(2, len(fields)))
        document = {name: fields[name]() for name in chosen}
        ids = [self.randrange(30), self.randrange(30), ObjectId(self.randbytes(12))]
        document["_id"] = self.choice(ids if self.is_unique else [*ids, {"k": 1, "l": 2}])
        return document

    def condition(self, field: str) -> Any:
        """Return a condition on one field."""
        pick = self.value if field in {"a", "t"} else self.scalar
        if field in {"_id", "n"}:
            pick = lambda: self.randrange(30)  # noqa: E731 - as the others
        operator = self.choice(["", "", "$eq", "$in", "$in", "$gt", "$gte", "$lt", "$ne", "$nin"])
        if operator in {"$in", "$nin"}:
            return {operator: [pick() for _ in range(self.randrange(4))]}
        if operator == "$gte" and self.random() < 0.5:
            return {"$gte": pick(), "$lt": pick()}
        return {operator: pick()} if operator else pick()

    def filter(self, depth: int = 0) -> dict[str, Any]:
        """Return a filter; one with a *depth* is a part of another."""
        fields = ["_id", "a", "b", "n", "u", "t", "l.k", "d.x", "t.0", "d"]
        chosen = self.sample(fields, self.choice([0, 1, 1, 1, 2, 2, 3]))
        wanted = {field: self.condition(field) for field in chosen}
        if self.random() < 0.15:
            wanted[self.choice(["a", "u", "d.x"])] = {"$exists": self.random() < 0.5}
        if self.random() < 0.05:
            wanted["l"] = {"$elemMatch": {"k": self.scalar()}}
        if depth == 0 and self.random() < 0.03:
            return {"n": {"$bogus": 1}}
        if self.random() < 0.05:
            wanted["u"] = {"$regex": "a|b"}
        if depth == 0 and self.random() < 0.3:
            operator = self.choice(["$and", "$and", "$or", "$nor"])
            wanted[operator] = [self.filter(1) for _ in range(self.randint(1, 2))]
        return wanted

    def update(self) -> dict[str, Any]:
        """Return an update of one to three operators."""
        choices: dict[str, Callable[[], Any]] = {
            "$set": lambda: self.choice(
                [
                    {"a": self.value()},
                    {"u": self.unique()},
                    {"d.x": self.scalar(), "b": self.randrange(3)},
                    {"n": self.choice([2, 2.0])},
                ]
            ),
            "$inc": lambda: {self.choice(["n", "n", "b", "a", "u"]): self.choice([1, 0, -2])},
            "$push": lambda: {self.choice(["t", "t", "l"]): self.scalar()},
            "$pull": lambda: {"t": self.scalar()},
            "$addToSet": lambda: {"t": self.scalar()},
            "$unset": lambda: {self.choice(["a", "u", "d.x", "b"]): ""},
            "$setOnInsert": lambda: {"n": self.randrange(20)},
        }
        return {name: choices[name]() for name in self.sample(sorted(choices), self.randint(1, 3))}

    def order(self) -> list[tuple[str, int]] | None:
        """Return what to sort by, or None."""
        orders = [
            None,
            [("_id", 1)],
            [("n", 1)],
            [("n", -1)],
            [("n", 1), ("_id", 1)],
            [("a", 1)],
            [("b", 1), ("n", -1)],
            [("b", 1), ("n", 1)],
        ]
        return self.choice(orders)

    def step(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return the name and the arguments of one call of a collection."""
        kind = self.choice(["insert"] * 4 + ["update"] * 4 + ["find"] * 5 + ["delete", "other"])
        return getattr(self, f"_{kind}")()

    def _insert(self) -> Any:
        if self.random() < 0.2:
            many = [self.document() for _ in range(self.randint(1, 4))]
            return "insert_many", (many,), {"ordered": self.random() < 0.5}
        return "insert_one", (self.document(),), {}

    def _update(self) -> Any:
        kind = self.choice(["update_one", "update_many", "replace_one", "find_one_and_update"])
        options: dict[str, Any] = {"upsert": self.random() < 0.3}
        if kind == "find_one_and_update":
            options |= {"sort": self.order(), "return_document": self.random() < 0.5}
        change = self.document() if kind == "replace_one" else self.update()
        if kind == "replace_one":
            del change["_id"]
        wanted = self.filter()
        if isinstance(wanted.get("_id"), dict):
            # mongomock takes the condition for the value.
            wanted["_id"] = self.randrange(30)
        return kind, (wanted, change), options

    def _find(self) -> Any:
        kind = self.choice(["find", "find", "find", "count_documents", "aggregate", "find_one"])
        if kind == "aggregate":
            last = self.choice([{"$group": {"_id": 1, "n": {"$sum": 1}}}, {"$limit": 2}])
            return kind, ([{"$match": self.filter()}, {"$skip": 1}, last],), {}
        if kind != "find":
            return kind, (self.filter(),), {}
        fields = self.choice([None, None, {"a": 1}, {"_id": 0, "t": 0}])
        slices = {"skip": self.choice([0, 0, 1]), "limit": self.choice([0, 0, 2])}
        return kind, (self.filter(), fields), {"sort": self.order(), **slices}

    def _delete(self) -> Any:
        return (
            self.choice(["delete_one", "delete_many", "find_one_and_delete"]),
            (self.filter(),),
            {},
        )

    def _other(self) -> Any:
        if self.random() < 0.2:
            return "rename", ("c",), {"dropTarget": True}
        if self.random() < 0.1:
            return "drop", (), {}
        keys = self.choice(_INDEXES)
        name = "_".join(f"{path}_{direction}" for path, direction in keys)
        return self.choice([("create_index", (keys,), {}), ("drop_index", (name,), {})])

    def indexes(self) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
        """Return the calls that make the first indexes."""
        chosen = self.sample(_INDEXES, self.randint(0, 4))
        calls: list[Any] = [("create_index", (keys,), {}) for keys in chosen]
        self.is_unique = self.random() < 0.7
        if self.is_unique:
            options = dict(self.choice(_UNIQUE))
            self._is_sparse = "sparse" in options
            calls.append(("create_index", (options.pop("keys"),), options))
        return calls


class SequentialIds:
    """ObjectIds that are the same on both sides of a pair: a sequence, not random."""

    def __init__(self) -> None:
        self.step = self.given = 0

    def __call__(self) -> ObjectId:  # noqa: D102 - the class says it
        self.given += 1
        return ObjectId(f"{self.step:012x}{self.given:012x}")


class Pair:
    """The same collection in the indexed store and in plain mongomock.

    :param ids: Where both take new ids from.
    """

    def __init__(self, ids: SequentialIds) -> None:
        self._ids = ids
        self.ours: Any = open_client()["d"]["c"]
        self.plain: Any = StorageClient(FieldsCollection)["d"]["c"]

    def call(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        """Do one call on both and compare what comes out and what is stored."""
        before = encoded(self.ours)
        if name == "aggregate" and not before:
            return
        self._ids.step, self._ids.given = self._ids.step + 1, 0
        ours = _outcome(self.ours, name, args, options)
        self._ids.given = 0
        plain = _outcome(self.plain, name, args, options)
        if name.startswith(("update", "replace")) and "raised" not in ours:
            changed = sum(new != old for new, old in zip(encoded(self.ours), before, strict=False))
            assert ours.pop("modified") == changed
            plain.pop("modified", None)
        assert ours == plain
        if ("update" in name or name == "replace_one") and ours.get("raised") not in {
            None,
            DuplicateKeyError.__name__,
        }:
            self._take_over(before)
        assert encoded(self.ours) == encoded(self.plain)
        assert self.ours.index_information() == self.plain.index_information()
        self._part()

    def _take_over(self, before: list[bytes]) -> None:
        for new, old, plain in zip(encoded(self.ours), before, encoded(self.plain), strict=True):
            assert new in {old, plain}
        documents = self.plain._store._documents
        for key, document in zip(documents, self.ours.find(), strict=True):
            documents[key] = document

    def _part(self) -> None:
        documents = self.plain._store._documents
        for key in documents:
            documents[key] = copy.deepcopy(documents[key])


def encoded(collection: Any) -> list[bytes]:
    """Return all documents, in order, as BSON."""
    return [bson.encode(document) for document in collection.find()]


def _outcome(collection: Any, name: str, args: Any, options: Any) -> dict[str, Any]:
    args, options = copy.deepcopy((args, options))
    with warnings.catch_warnings():
        # mongomock throws into generators in a deprecated way.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            result = getattr(collection, name)(*args, **options)
            if name in {"find", "aggregate"}:
                result = [bson.encode(document) for document in result]
        except Exception as error:  # noqa: BLE001 - whatever comes is compared
            return {"raised": type(error).__name__}
    if name.startswith(("update", "replace")):
        return {"matched": result.matched_count, "modified": result.modified_count}
    if hasattr(result, "deleted_count"):
        return {"deleted": result.deleted_count}
    return {"result": None if hasattr(result, "acknowledged") else result}
