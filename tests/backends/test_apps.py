"""Apps are found by discovery, and never see anything of an app that only looks alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from pynenc.app_info import AppInfo

from tests.backends.areas import AREAS
from tests.backends.builders import LOOK_ALIKES

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

    AppFactory = Callable[..., Pynenc]


def test_an_app_is_known_once_its_state_backend_is_used(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """pynenc stores the app's info when it makes the backend; it comes back equal."""
    assert pynenc_state_backend.get_app_info() == AppInfo.from_app(pynenc_app)


def test_another_info_replaces_the_former(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """An app id has one info: the last one stored."""
    latter = replace(AppInfo.from_app(pynenc_app), module="elsewhere", config_filepath="a'b")
    pynenc_state_backend.store_app_info(latter)
    assert pynenc_state_backend.get_app_info() == latter


def test_any_config_value_can_be_stored(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """Sets and paths are documented config values, although plain JSON has neither."""
    values = {"trigger_task_modules": {"one", "two"}, "path": PurePosixPath("/a"), "none": None}
    stored = replace(AppInfo.from_app(pynenc_app), config_values=values)
    pynenc_state_backend.store_app_info(stored)
    assert pynenc_state_backend.get_app_info() == stored


def test_an_app_that_stored_no_info_has_none(
    pynenc_app: Pynenc, pynenc_app_factory: AppFactory
) -> None:
    """A backend that is made without pynenc's help knows nothing of its app."""
    backend_class = type(pynenc_app.state_backend)
    unknown = backend_class(pynenc_app_factory(app_id="unknown"))
    with pytest.raises(KeyError):
        unknown.get_app_info()


def test_the_info_survives_a_purge(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """pynenc stores it only once, so a purge that took it would hide the app for ever."""
    pynenc_state_backend.purge()
    assert pynenc_state_backend.get_app_info() == AppInfo.from_app(pynenc_app)


def test_discovery_finds_every_app_of_the_place(
    pynenc_state_backend: PytestStateBackend, pynenc_app_factory: AppFactory
) -> None:
    """All apps are found by their ids, those that look alike too."""
    apps = [pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES]
    expected = {app.app_id: app.state_backend.get_app_info() for app in apps}
    found = type(pynenc_state_backend).discover_app_infos()
    assert {app_id: found.get(app_id) for app_id in LOOK_ALIKES} == expected


def test_discovery_returns_a_dictionary_of_its_own(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Changing what was returned hides no app from anybody."""
    discover = type(pynenc_state_backend).discover_app_infos
    before = discover()
    discover().clear()
    assert discover() == before


@pytest.mark.parametrize("area", AREAS.values(), ids=AREAS)
class TestIsolation:
    """What the apps of one store have in common: nothing."""

    def test_apps_that_look_alike_see_only_their_own(
        self, pynenc_app_factory: AppFactory, area: type[AREAS]
    ) -> None:
        """Each of the apps writes under the same keys, and reads what it wrote itself."""
        apps = [pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES]
        for number, app in enumerate(apps):
            area.write(app, f"token {number}")
        found = [area.read(app) for app in apps]
        assert found == [area.expected(f"token {number}") for number in range(len(apps))]

    def test_an_app_that_wrote_nothing_sees_nothing(
        self, pynenc_app_factory: AppFactory, area: type[AREAS]
    ) -> None:
        """What all other apps wrote is invisible to one that only looks like them."""
        *writers, reader = [pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES]
        for app in writers:
            area.write(app, "token")
        assert area.read(reader) == area.nothing
