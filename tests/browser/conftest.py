"""A headless Chromium, which shows one page in each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

try:
    from selenium import webdriver
except ImportError:  # these tests have an environment of their own
    collect_ignore_glob = ["test_*.py"]

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


@pytest.fixture
def opened() -> Iterator[Callable[[str], Any]]:
    """Show the page of a URL, and return the driver of the browser that shows it."""
    if not (BROWSER and DRIVER):
        if os.environ.get("PYTEST_PYNENC_MISSING") == "fail":
            pytest.fail("chromium and chromedriver are missing")
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))

    def show(url: str) -> Any:
        driver.get(url)
        return driver

    try:
        yield show
    finally:
        driver.quit()
