"""What is known about the apps themselves, and how those of a place are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pynenc.app_info import AppInfo

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import LOOK_ALIKES

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.conformance.making import StateBackend


def _info(app: Pynenc, module: str) -> AppInfo:
    values = {"app_id": app.app_id, "nested": {"list": [1, None, "a'b"]}, "true": True}
    return AppInfo(app.app_id, module, values, "file's path", "module's path", "variable")


@clause("SB-APP-01", hint="pynenc calls store_app_info when it makes the backend: keep that")
def an_app_is_known_once_its_state_backend_is_used(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """The info of an app is there from the first use of its state backend on."""
    assert pynenc_state_backend.get_app_info().app_id == pynenc_app.app_id


@clause("SB-APP-02", hint="store all fields; to_json of AppInfo has them")
def the_info_of_an_app_comes_back(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """The info of an app comes back equal, with all its fields and configuration values."""
    info = _info(pynenc_app, "module")
    pynenc_state_backend.store_app_info(info)
    assert pynenc_state_backend.get_app_info() == info


@clause("SB-APP-03", hint="write by app_id: replace what is there")
def another_info_replaces_the_former(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """An app has one info: the last that was stored under its id."""
    infos = [_info(pynenc_app, "former"), AppInfo(pynenc_app.app_id, "latter")]
    for info in infos:
        pynenc_state_backend.store_app_info(info)
    assert pynenc_state_backend.get_app_info() == infos[-1]


@clause("SB-APP-04", hint="app ids that differ in any character are different apps")
def each_app_has_its_own_info(pynenc_app_factory: Callable[..., Pynenc]) -> None:
    """Apps on one place have their own info each, however much their ids look alike."""
    apps = {app_id: pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES}
    infos = {app_id: _info(app, f"module of {app_id}") for app_id, app in apps.items()}
    for app_id, app in apps.items():
        app.state_backend.store_app_info(infos[app_id])
    assert {app_id: app.state_backend.get_app_info() for app_id, app in apps.items()} == infos


@clause(
    "SB-APP-05", hint="a static method: read the place from a fresh configuration, list all apps"
)
def discovery_finds_every_app_of_the_place(
    pynenc_state_backend: StateBackend, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """Every app on the place that the environment configures is discovered, with its info."""
    apps = [pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES]
    expected = {app.app_id: app.state_backend.get_app_info() for app in apps}
    found = type(pynenc_state_backend).discover_app_infos()
    assert {app_id: found.get(app_id) for app_id in LOOK_ALIKES} == expected


# The factory is asked for because an app that is configured by values alone is not discovered.
@clause("SB-APP-06", hint="build the dictionary anew for each call")
def discovery_returns_a_dictionary_of_its_own(
    pynenc_state_backend: StateBackend, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """Changing what a discovery returned changes nothing for the next."""
    app = pynenc_app_factory(app_id="discovered")
    type(pynenc_state_backend).discover_app_infos().clear()
    found = type(pynenc_state_backend).discover_app_infos()
    assert found.get("discovered") == app.state_backend.get_app_info()
