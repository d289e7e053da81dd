"""What is said of app infos beyond pynenc's contract: they hold any value, and outlive a purge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from pynenc.app import Pynenc
from pynenc.app_info import AppInfo

from pytest_pynenc_state.conformance.areas import AREAS, Area, purge
from pytest_pynenc_state.conformance.making import LOOK_ALIKES

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

    AppFactory = Callable[..., Pynenc]


def test_any_config_value_can_be_stored(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """Sets and paths are documented config values, although plain JSON has neither."""
    values = {"trigger_task_modules": {"one", "two"}, "path": PurePosixPath("/a"), "none": None}
    stored = replace(AppInfo.from_app(pynenc_app), config_values=values)
    pynenc_state_backend.store_app_info(stored)
    assert pynenc_state_backend.get_app_info() == stored


def test_an_app_that_stored_no_info_has_none(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """A backend that is made without pynenc's help knows nothing of its app."""
    values = {**(pynenc_app.config_values or {}), "app_id": "unknown"}
    unknown = type(pynenc_state_backend)(Pynenc(config_values=values))
    with pytest.raises(KeyError):
        unknown.get_app_info()


def test_the_info_survives_a_purge(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """It is stored only once, so a purge that took it would hide the app for ever."""
    pynenc_state_backend.purge()
    assert pynenc_state_backend.get_app_info() == AppInfo.from_app(pynenc_app)


@pytest.mark.parametrize("area", AREAS.values(), ids=AREAS)
class TestIsolation:
    """The apps of one place have nothing in common, however much their ids look alike."""

    def test_each_app_sees_only_what_it_wrote(
        self, pynenc_app_factory: AppFactory, area: Area
    ) -> None:
        """All apps but one write under the same keys; each reads its own, that one nothing."""
        apps = _look_alikes(pynenc_app_factory)
        *writers, _silent = apps
        for number in writers:
            area.write(apps[number], number)
        found = [area.read(app) for app in apps.values()]
        assert found == [*(area.expected(number) for number in writers), area.nothing]

    def test_a_purge_takes_all_of_one_app_and_nothing_of_others(
        self, pynenc_app_factory: AppFactory, area: Area
    ) -> None:
        """After a purge, which may be repeated, one app is empty and the others are not."""
        apps = _look_alikes(pynenc_app_factory, count=3)
        for number, app in apps.items():
            area.write(app, number)
        purge(apps[1])
        purge(apps[1])
        found = {number: area.read(app) for number, app in apps.items()}
        kept = {number: area.expected(number) for number in apps}
        assert found == {**kept, 1: area.nothing}

    def test_a_purged_app_can_be_used_again(self, pynenc_app: Pynenc, area: Area) -> None:
        """What is written after a purge is there, without anything from before."""
        area.write(pynenc_app, 1)
        purge(pynenc_app)
        area.write(pynenc_app, 2)
        assert area.read(pynenc_app) == area.expected(2)


def _look_alikes(factory: AppFactory, count: int = len(LOOK_ALIKES)) -> dict[int, Pynenc]:
    ids = LOOK_ALIKES[:count]
    return {number: factory(app_id=app_id) for number, app_id in enumerate(ids, 1)}
