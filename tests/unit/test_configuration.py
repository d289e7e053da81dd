"""The command that opens pynenc's monitor on a place: right, and without secrets."""

from __future__ import annotations

import shlex

import pytest

from pytest_pynenc_state.apps.configuration import monitor_command

SECRETS = {
    "field": ("redis_password", "hunter2"),
    "key": ("api_key", "hunter2"),
    "login": ("mongo_url", "mongodb://user:hunter2@host/"),
    "login with a space": ("mongo_url", "mongodb://user:hun hunter2@host/"),
    "words": ("dsn", "host=h password='hun hunter2'"),
}


@pytest.mark.parametrize(("name", "value"), SECRETS.values(), ids=SECRETS)
def test_no_secret_is_printed(name: str, value: str) -> None:
    """It ends up in logs of CI, and in reports."""
    command = monitor_command({name: value}, [])
    assert "hun" not in command
    assert "***" in command


@pytest.mark.parametrize("path", ["/builds/job@2/x.db", "/a folder/x.db", "/plain/x.db"])
def test_a_path_stays_one(path: str) -> None:
    """Also with a sign that ends a login in a URL, as some servers of CI have in theirs."""
    command = monitor_command({"sqlite_db_path": path}, ["mine"])
    variables = [f"PYNENC__SQLITE_DB_PATH={path}", "PYTEST_PYNENC_MODULES=mine"]
    assert shlex.split(command) == [*variables, "pynenc", "monitor"]
