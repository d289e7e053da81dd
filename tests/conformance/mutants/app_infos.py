"""Faults in how apps are described, and found by others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from tests.conformance.mutants.mutant import mutant


@mutant("SB-APP-01", "SB-APP-05")
class InfoNotStored(PytestMemStateBackend):
    """It stores no app info, as if that were a matter of monitoring."""

    def store_app_info(self, app_info: Any) -> None:
        pass


@mutant("SB-APP-02")
class InfoOfTexts(PytestMemStateBackend):
    """It stores the configuration values of an app as texts."""

    def store_app_info(self, app_info: Any) -> None:
        texts = {name: str(value) for name, value in app_info.config_values.items()}
        super().store_app_info(replace(app_info, config_values=texts))


@mutant("SB-APP-02")
class ModulePathLost(PytestMemStateBackend):
    """It has no column for the file that an app's module is in."""

    def store_app_info(self, app_info: Any) -> None:
        super().store_app_info(replace(app_info, module_filepath=None))


@mutant("SB-APP-03")
class FirstInfoStays(PytestMemStateBackend):
    """It stores the info of an app unless there is one."""

    def store_app_info(self, app_info: Any) -> None:
        if app_info.app_id not in self._app_info_registry:
            super().store_app_info(app_info)


@mutant("SB-APP-04", "SB-APP-05")
class InfoIdsCleaned(PytestMemStateBackend):
    """It cleans the ids of apps until they can be the name of a file."""

    def store_app_info(self, app_info: Any) -> None:
        super().store_app_info(replace(app_info, app_id=_cleaned(app_info.app_id)))

    def get_app_info(self) -> Any:
        own_id = self.app.app_id
        return replace(self._app_info_registry[_cleaned(own_id)], app_id=own_id)


def _cleaned(app_id: str) -> str:
    return re.sub(r"\W", "_", app_id)


@mutant("SB-APP-05")
class ThreeAppsDiscovered(PytestMemStateBackend):
    """It discovers the apps on the first page of the answer."""

    @staticmethod
    def discover_app_infos() -> Mapping[str, Any]:  # type: ignore[override]
        return dict([*PytestMemStateBackend.discover_app_infos().items()][:3])


@mutant("SB-APP-06")
class DiscoveredOnce(PytestMemStateBackend):
    """It discovers the apps once, and returns the same dictionary again."""

    discover_app_infos = staticmethod(cache(PytestMemStateBackend.discover_app_infos))
