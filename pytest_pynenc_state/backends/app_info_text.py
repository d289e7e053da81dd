"""An app's info as text, with everything its configuration may hold.

Configuration values may be sets or paths, which plain JSON, and so pynenc's own
``AppInfo.to_json``, refuses.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import jsonpickle
from pynenc.app_info import AppInfo


def encoded_app_info(app_info: AppInfo) -> str:
    """*app_info* as text."""
    stored = {column.name: getattr(app_info, column.name) for column in fields(app_info)}
    text: str = jsonpickle.encode(stored, keys=True)  # type: ignore[no-untyped-call]
    return text


def decoded_app_info(text: str) -> AppInfo:
    """What `encoded_app_info` turned into *text*, also by an app on another pynenc."""
    stored: dict[str, Any] = jsonpickle.decode(text, keys=True)  # type: ignore[no-untyped-call]  # noqa: S301 - written by our own apps
    known = {column.name for column in fields(AppInfo)}
    return AppInfo(**{name: value for name, value in stored.items() if name in known})
