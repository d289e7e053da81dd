"""The page on MongoDB: its fixtures override ours, whatever starts the server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_pynenc_state import options

PAGE = (Path(__file__).parents[2] / "docs" / "mongodb.md").read_text()

# What the two packages give to the fixtures on the page, without their servers.
TESTCONTAINERS = """
class MongoDbContainer:
    def __init__(self, image):
        assert image.startswith("mongo:")
    def __enter__(self):
        return self
    def __exit__(self, *failure):
        pass
    def get_connection_url(self):
        return "mongodb://test:test@localhost:32768"
"""
PYTEST_MONGO = """
import pytest
from types import SimpleNamespace

@pytest.fixture(scope="session")
def mongo_proc():
    return SimpleNamespace(host="127.0.0.1", port=32768)
"""
THE_TEST = "def test_the_url(pynenc_mongo_url): assert pynenc_mongo_url.endswith(':32768')"


@pytest.mark.parametrize("number", [0, 1], ids=["testcontainers", "pytest-mongo"])
def test_the_fixtures_on_the_page_override_the_url(pytester: pytest.Pytester, number: int) -> None:
    """A conftest with the block as it stands on the page is enough."""
    pytester.makeconftest(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[number])
    package = pytester.mkpydir("testcontainers")
    (package / "mongodb.py").write_text(TESTCONTAINERS)
    pytester.makepyfile(mongo_plugin=PYTEST_MONGO, test_url=THE_TEST)

    result = pytester.runpytest_subprocess("-p", "mongo_plugin")

    result.assert_outcomes(passed=1)


def test_every_option_on_the_page_exists() -> None:
    """A reader can type what is written there."""
    named = set(re.findall(r"--pynenc-[a-z-]+", PAGE))
    assert named <= {option.flag for option in options._OPTIONS}
