"""Filters that mongomock gets wrong as they are written, and which the server puts right."""

from __future__ import annotations

import pytest
from bson import Regex
from pymongo.errors import OperationFailure

from tests.mongo.server.conftest import Collection, Document

@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        (r"\[:a", [1, 2]),
        (r"\[\[:alpha:\]\]", [2]),
        (r"[\[:]a", [1, 2]),
        ("[:a]$", [1, 3]),
        (r"\\Z", [4]),
    ],
)
def test_a_bracket_that_is_escaped_opens_no_class(
    collection: Collection, pattern: str, ids: list[int]
) -> None:
    """So that any text can be looked for to the letter."""
    texts = ["x[:a", "[[:alpha:]]", "a", "\\Z"]
    collection.insert_many([{"_id": n, "s": text} for n, text in enumerate(texts, 1)])

    for condition in (Regex(pattern), {"$regex": pattern}, {"$in": [Regex(pattern)]}):
        assert [document["_id"] for document in collection.find({"s": condition})] == ids


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"s": {"$regex": "[[:^alpha:]]"}}, 238),
        ({"s": {"$regex": "[^x[:digit:]]"}}, 238),
        ({"s": {"$regex": r"\\[[:digit:]]"}}, 238),
        ({"s": {"$regex": r"a\Z"}}, 238),
        ({"s": {"$options": "i"}}, 2),
    ],
    ids=repr,
)
def test_what_cannot_be_put_right_is_refused(
    collection: Collection, wanted: Document, code: int
) -> None:
    """Also if nothing is stored."""
    with pytest.raises(OperationFailure) as caught:
        collection.find_one(wanted)

    assert caught.value.code == code
