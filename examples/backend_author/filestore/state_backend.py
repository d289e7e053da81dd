"""`FileStateBackend`: pynenc's state in plain files, without an index: every search reads all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cistell import ConfigField
from pynenc.conf.config_state_backend import ConfigStateBackend
from pynenc.state_backend.base_state_backend import BaseStateBackend, InvocationHistory

from filestore.files import Files, remove

if TYPE_CHECKING:
    from pynenc.app import AppInfo, Pynenc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ConfigFileStateBackend(ConfigStateBackend):
    """Where the files are."""

    files_directory = ConfigField("")


class FileStateBackend(BaseStateBackend):
    """Keeps everything below ``files_directory``, each app in a folder of its own."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._root = Path(self.conf.files_directory)
        self._folder = self._root / hashlib.sha256(app.app_id.encode()).hexdigest()

    @cached_property
    def conf(self) -> ConfigFileStateBackend:
        return ConfigFileStateBackend(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    def _files(self, kind: str) -> Files:
        return Files(self._folder / kind)

    def purge(self) -> None:
        self._runner_context_cache.clear()
        remove(self._folder)

    # Invocations

    def _upsert_invocations(self, entries: list[tuple[Any, Any]]) -> None:
        for invocation, call in entries:
            self._files("invocations").put(invocation.invocation_id, (invocation, call))

    def _get_invocation(self, invocation_id: str) -> tuple[Any, Any] | None:
        try:
            return self._files("invocations").get(invocation_id)
        except KeyError:
            return None

    def _invocations(self, **fields: Any) -> Iterator[Any]:
        for invocation, _ in self._files("invocations").values():
            if all(getattr(invocation, name) == value for name, value in fields.items()):
                yield invocation

    def get_child_invocations(self, parent_invocation_id: str) -> Iterator[Any]:
        found = list(self._invocations(parent_invocation_id=parent_invocation_id))
        yield from [invocation.invocation_id for invocation in found]

    def get_invocations_by_parent_event(self, parent_event_id: str) -> Iterator[Any]:
        found = list(self._invocations(parent_event_id=parent_event_id))
        yield from [invocation.invocation_id for invocation in found]

    def get_invocation_ids_by_workflow(
        self, workflow_id: str | None = None, workflow_type_key: str | None = None
    ) -> Iterator[Any]:
        for invocation in list(self._invocations()):
            run = invocation.workflow
            run_id, type_key = (run.workflow_id, run.workflow_type.key) if run else (None, None)
            if workflow_id in (None, "", run_id) and workflow_type_key in (None, "", type_key):
                yield invocation.invocation_id

    # Histories

    def _add_histories(self, invocation_ids: list[Any], invocation_history: Any) -> None:
        instant_us = (invocation_history.timestamp - _EPOCH) // timedelta(microseconds=1)
        for invocation_id in invocation_ids:
            self._files("history").append(instant_us, (invocation_id, invocation_history.to_json()))

    def _get_history(self, invocation_id: str) -> list[Any]:
        records = self._files("history").values()
        return [_history(text, known) for known, text in records if known == invocation_id]

    def iter_history_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[list[Any]]:
        first, last = (
            f"{(each - _EPOCH) // timedelta(microseconds=1):020}" for each in (start_time, end_time)
        )
        files = self._files("history")
        names = [name for name in files.names() if first <= name.partition("-")[0] <= last]
        for start in range(0, len(names), batch_size):
            records = files.read(names[start : start + batch_size])
            if page := [_history(text, invocation_id) for invocation_id, text in records]:
                yield page

    def iter_invocations_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[list[Any]]:
        pages = self.iter_history_in_timerange(start_time, end_time)
        ids = sorted({record.invocation_id for page in pages for record in page})
        for start in range(0, len(ids), batch_size):
            yield ids[start : start + batch_size]

    # Results and exceptions

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        self._files("results").put(invocation_id, serialized_result)

    def _get_result(self, invocation_id: str) -> Any:
        return self._files("results").get(invocation_id)

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        self._files("exceptions").put(invocation_id, serialized_exception)

    def _get_exception(self, invocation_id: str) -> Any:
        return self._files("exceptions").get(invocation_id)

    # Workflows

    def set_workflow_data(self, workflow_identity: Any, key: str, value: Any) -> None:
        self._files("workflow-data").put(f"{workflow_identity.workflow_id}\0{key}", value)

    def get_workflow_data(self, workflow_identity: Any, key: str, default: Any = None) -> Any:
        try:
            return self._files("workflow-data").get(f"{workflow_identity.workflow_id}\0{key}")
        except KeyError:
            return default

    def store_workflow_run(self, workflow_identity: Any) -> None:
        self._files("workflow-runs").put(workflow_identity.workflow_id, workflow_identity)

    def get_all_workflow_runs(self) -> Iterator[Any]:
        yield from list(self._files("workflow-runs").values())

    def get_workflow_runs(self, workflow_type: Any) -> Iterator[Any]:
        runs = list(self.get_all_workflow_runs())
        yield from [run for run in runs if run.workflow_type == workflow_type]

    def get_all_workflow_types(self) -> Iterator[Any]:
        yield from {run.workflow_type for run in self.get_all_workflow_runs()}

    def store_workflow_sub_invocation(
        self, parent_workflow_id: str, sub_invocation_id: str
    ) -> None:
        pair = (parent_workflow_id, sub_invocation_id)
        self._files("workflow-invocations").put("\0".join(pair), pair)

    def get_workflow_sub_invocations(self, workflow_id: str) -> Iterator[Any]:
        pairs = list(self._files("workflow-invocations").values())
        yield from [inside for known, inside in pairs if known == workflow_id]

    # Runner contexts

    def _store_runner_context(self, runner_context: Any) -> None:
        self._files("runner-contexts").put(runner_context.runner_id, runner_context)

    def _get_runner_context(self, runner_id: str) -> Any:
        found = self._get_runner_contexts([runner_id])
        return found[0] if found else None

    def _get_runner_contexts(self, runner_ids: list[str]) -> list[Any]:
        wanted = set(runner_ids)
        contexts = self._files("runner-contexts").values()
        return [context for context in contexts if context.runner_id in wanted]

    def get_matching_runner_contexts(self, partial_id: str) -> Iterator[Any]:
        contexts = list(self._files("runner-contexts").values())
        yield from [context for context in contexts if partial_id in context.runner_id]

    # Apps

    def store_app_info(self, app_info: AppInfo) -> None:
        Files(self._root / "apps").put(app_info.app_id, app_info)

    def get_app_info(self) -> AppInfo:
        found: AppInfo = Files(self._root / "apps").get(self.app.app_id)
        return found

    @staticmethod
    def discover_app_infos() -> dict[str, AppInfo]:
        root = Path(ConfigFileStateBackend().files_directory)
        return {info.app_id: info for info in Files(root / "apps").values()}


def _history(text: str, invocation_id: str) -> Any:
    record = InvocationHistory.from_json(text)
    record.invocation_id = invocation_id
    return record
