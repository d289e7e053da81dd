"""The collection of apps: how to find and rebuild each one that uses the database."""

from __future__ import annotations

from pynenc.app_info import AppInfo

from pytest_pynenc_state.backends.app_info_text import decoded_app_info, encoded_app_info
from pytest_pynenc_state.backends.mongo.connection import Database
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections, key


class AppInfoDocuments:
    """The apps of one database."""

    def __init__(self, database: Database) -> None:
        self._documents = Documents(database, StateBackendCollections.APP_INFO)

    def put(self, app_info: AppInfo) -> None:
        """Store the info of an app in place of its former one."""
        app_id = app_info.app_id
        self._documents.put(
            [{"_id": key(app_id), "app_id": app_id, "app_info_json": encoded_app_info(app_info)}]
        )

    def get(self, app_id: str) -> AppInfo | None:
        """The info of an app; None if none was stored."""
        document = self._documents.find_one({"_id": key(app_id)})
        return decoded_app_info(document["app_info_json"]) if document else None

    def all(self) -> list[AppInfo]:
        """The info of every app in the database."""
        return [decoded_app_info(each["app_info_json"]) for each in self._documents.find({})]
