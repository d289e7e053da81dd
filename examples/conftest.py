"""Lets the shop's tests run from the root of this repository, together with all others.

An application has its own ini file, as the shop has, which names its app; a run from here
has ours.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

SHOP = Path(__file__).with_name("shop")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makemodule() -> Generator[None, pytest.Module, pytest.Module]:
    """Name the shop's app for each of its test modules."""
    module = yield
    if SHOP in module.path.parents:
        module.add_marker(pytest.mark.pynenc(app="shop.app:app"))
    return module
