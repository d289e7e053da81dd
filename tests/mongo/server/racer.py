"""A program that races others of its kind for documents, and prints what it got.

``racer.py WORK URL DATABASE``: says that it is ready, waits for a line, does WORK, and prints
a list as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

Things = Collection[dict[str, Any]]

ROUNDS = 100


def claim(things: Things) -> list[int]:
    """Claim documents until none is free; return their ids."""
    claimed = []
    while True:
        change = {"$set": {"status": "taken", "owner": os.getpid()}}
        found = things.find_one_and_update(
            {"status": "free"}, change, {"_id": 0, "number": 1}, sort=[("number", 1)]
        )
        if found is None:
            return claimed
        claimed.append(found["number"])


def insert(things: Things) -> list[int]:
    """Insert the same unique values as everybody; return those that were accepted."""
    accepted = []
    for number in range(ROUNDS):
        try:
            things.insert_one({"unique": number})
        except DuplicateKeyError:
            continue
        accepted.append(number)
    return accepted


def increment(things: Things) -> list[int]:
    """Upsert and increment one counter; return its values."""
    change = {"$inc": {"n": 1}}
    wanted = {"_id": "counter"}
    return [
        things.find_one_and_update(wanted, change, upsert=True, return_document=True)["n"]
        for _ in range(ROUNDS)
    ]


WORKS: dict[str, Callable[[Things], list[int]]] = {
    "claim": claim,
    "insert": insert,
    "increment": increment,
}


def main(work: str, url: str, database: str) -> None:
    """Race."""
    with MongoClient[dict[str, Any]](url) as client:
        client.admin.command("ping")
        print("ready", flush=True)  # noqa: T201 - to the test
        sys.stdin.readline()
        claimed = WORKS[work](client[database]["things"])
        print(json.dumps(claimed))  # noqa: T201 - to the test


if __name__ == "__main__":
    main(*sys.argv[1:])
