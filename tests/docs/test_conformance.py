"""The page for authors of backends: what is on it runs, and is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_pynenc_state import options
from pytest_pynenc_state.report.contents import Finding
from pytest_pynenc_state.report.table import HEADINGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conformance.md").read_text()

RUN_S = 100.0

APP_INSTANCE = """
import pytest
from pynenc.builder import PynencBuilder

@pytest.fixture
def app_instance():
    return PynencBuilder().app_id("mine").memory().build()
"""


@pytest.fixture
def modules(pytester: pytest.Pytester) -> dict[str, str]:
    """The modules of the page, written as files of those names."""
    found = dict(re.findall(r"<!-- (\w+)\.py -->\n```python\n(.*?)```", PAGE, flags=re.DOTALL))
    pytester.makepyfile(**found)
    pytester.makeini("[pytest]\npythonpath = .")
    return found


def test_a_subclass_and_no_file_check_the_same(
    pytester: pytest.Pytester, modules: dict[str, str]
) -> None:
    """The recipe on the page is that of a sound backend."""
    few = ("-k", "BE_SET or SB_HIS_01")
    assert "test_conformance" in modules
    (command,) = re.findall(r"```console\n\$ pytest (.*)\n```", PAGE)

    subclass = pytester.runpytest_subprocess("test_conformance.py", *few, timeout=RUN_S)
    without = pytester.runpytest_subprocess(*command.split(), *few, timeout=RUN_S)

    subclass.assert_outcomes(passed=5)
    without.assert_outcomes(passed=5)
    for result in (subclass, without):
        result.stdout.fnmatch_lines("mine keeps * clauses of basic on pynenc *")


def test_an_app_instance_is_checked(pytester: pytest.Pytester, modules: dict[str, str]) -> None:
    """With the fixture that the author has already."""
    assert "test_app_instance" in modules
    pytester.makeconftest(APP_INSTANCE)

    result = pytester.runpytest_subprocess("test_app_instance.py", "-k", "SB_HIS_01", timeout=RUN_S)

    result.assert_outcomes(passed=1)


def test_exclusions_are_about_clauses_that_there_are(
    pytester: pytest.Pytester, modules: dict[str, str]
) -> None:
    """The backend has no such bug, and so the run says that it is mended."""
    assert "test_exclusions" in modules

    result = pytester.runpytest_subprocess(
        "test_exclusions.py", "-k", "SB_CTX_01 or SB_HIS_07", timeout=RUN_S
    )

    result.assert_outcomes(skipped=1, failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*sorts by status (https://tracker.example/7)*"])


def test_every_finding_is_explained() -> None:
    """And the table is the one that is printed."""
    explained = re.findall(r"^\| ([a-z ]+) \|", PAGE, flags=re.MULTILINE)
    assert explained == [str(finding) for finding in Finding]
    (heading,) = [line for line in PAGE.splitlines() if line.startswith("backend  ")]
    assert heading.split() == " ".join(HEADINGS).split()


def test_every_option_on_the_page_exists() -> None:
    """A reader can type what is written there."""
    named = set(re.findall(r"--pynenc-[a-z-]+", PAGE))
    known = {option.flag for option in options._OPTIONS} | {"--pynenc-conformance"}
    assert named <= known
