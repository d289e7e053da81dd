"""What is said of app infos beyond pynenc's contract: they hold any value, and outlive a purge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from pynenc.app import Pynenc
from pynenc.app_info import AppInfo

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend


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
