"""The public names, used as their types allow. Checked by mypy, never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pynenc import Pynenc

from pytest_pynenc_state import Backend, Capability, Place, RunnerControl, Space


def open_here(space: Space) -> Place:
    folder: Path = space.directory
    return Place({"sqlite_db_path": str(folder / space.namespace)}, location=str(folder))


BACKEND = Backend(
    name="mine",
    components={"state_backend_cls": "MyStateBackend"},
    modules=("my.module",),
    open_place=open_here,
    capabilities=frozenset({Capability.SHARED, Capability.DURABLE}),
)


def pytest_pynenc_backends() -> Iterator[Backend]:
    yield BACKEND


def test_apps(
    pynenc_app: Pynenc,
    pynenc_app_factory: Callable[..., Pynenc],
    pynenc_namespace: str,
    pynenc_config: dict[str, Any],
) -> None:
    other: Pynenc = pynenc_app_factory(app_id=pynenc_namespace, **pynenc_config)
    assert other is not pynenc_app


def test_places_and_runners(
    pynenc_backend: Backend, pynenc_place: Place, pynenc_runner: RunnerControl
) -> None:
    missing: tuple[Capability, ...] = pynenc_backend.lacks([Capability.SHARED])
    kinds: list[str] = [runner.kind for runner in pynenc_runner.start(2)]
    pynenc_runner.stop()
    assert len(kinds) == len(missing) + len(pynenc_place.location)
