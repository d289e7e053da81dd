"""The page on crashes: its code runs, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_pynenc_state import options
from pytest_pynenc_state.processes.crash_control import CrashControl

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "crashes.md").read_text()


def test_the_example_on_the_page_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the app of the shop."""
    [example] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    pytester.makepyfile(test_page=example)
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'examples' / 'shop'}")
    monkeypatch.setenv("SHOP_DATA", str(pytester.path))

    result = pytester.runpytest_subprocess(
        "--pynenc-backend=sqlite", "--pynenc-app=shop.app:app", timeout=100
    )

    result.assert_outcomes(passed=1)


def test_what_the_page_names_exists() -> None:
    """A reader can type what is written there."""
    named = set(re.findall(r"--pynenc-[a-z-]+", PAGE))
    assert named <= {option.flag for option in options._OPTIONS}
    methods = set(re.findall(r"^\| `\.(\w+)\(", PAGE, flags=re.MULTILINE))
    assert methods == {"when", "before", "after", "at_random"}
    assert methods <= set(dir(CrashControl))
