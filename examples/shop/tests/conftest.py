"""What the shop's own tests need besides the fixtures of pytest-pynenc-state."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def shop_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the shop an empty directory of its own, here and in every process started from here."""
    directory = tmp_path / "shop"
    monkeypatch.setenv("SHOP_DATA", str(directory))
    return directory
