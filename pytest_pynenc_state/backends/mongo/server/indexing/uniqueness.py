"""Unique indexes: what they refuse, and in which words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mongomock.filtering import iter_key_candidates, resolve_key
from pymongo.errors import DuplicateKeyError
from sentinels import NOTHING

from pytest_pynenc_state.backends.mongo.server.indexing.keymap import KeyMap, Keys
from pytest_pynenc_state.backends.mongo.server.indexing.keys import Document

_DUPLICATE_KEY = 11000


@dataclass(frozen=True)
class Guard:
    """One unique index.

    :ivar name: The index's name.
    :ivar pattern: Its fields and directions.
    :ivar keymap: The keys of the documents it looks after.
    """

    name: str
    pattern: Sequence[tuple[str, Any]]
    keymap: KeyMap

    def refuse_duplicate(
        self,
        number: int,
        keys: Keys,
        document: Document,
        records: Mapping[int, Document],
        namespace: str,
    ) -> None:
        """Check that no document but *number* has one of the *keys* of *document*.

        :param records: All documents by their numbers.
        :param namespace: Database and collection, for the message.
        :raises DuplicateKeyError: Another one has.
        """
        others = self.keymap.others(number, keys)
        if keys is None:
            mine = self._values(document)
            others = {other for other in others if self._values(records[other]) == mine}
        if others:
            raise duplicate_key(namespace, self.name, self.pattern, document)

    def _values(self, document: Document) -> list[list[Any]]:
        return [list(iter_key_candidates(path, document)) for path in self.keymap.paths]


def duplicate_key(
    namespace: str, index: str, pattern: Sequence[tuple[str, Any]], document: Document
) -> DuplicateKeyError:
    """Return the error about *document*, with all that a server's reply has in its details."""
    found = {path: resolve_key(path, document) for path, _ in pattern}
    values = {path: None if value is NOTHING else value for path, value in found.items()}
    shown = ", ".join(f"{path}: {_shown(value)}" for path, value in values.items())
    message = (
        f"E11000 duplicate key error collection: {namespace} index: {index} dup key: {{ {shown} }}"
    )
    details = {
        "code": _DUPLICATE_KEY,
        "errmsg": message,
        "keyPattern": dict(pattern),
        "keyValue": values,
    }
    return DuplicateKeyError(message, _DUPLICATE_KEY, details)


def _shown(value: Any) -> str:
    return json.dumps(value, default=repr, ensure_ascii=False)
