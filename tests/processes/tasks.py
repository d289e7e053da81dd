"""Functions that a child process can import, as plain functions and as tasks."""

from __future__ import annotations

import os

from pynenc import Pynenc

app = Pynenc(config_values={"app_id": "app-of-the-process-tests"})


class BusyError(Exception):
    """Something that is worth a retry."""


def process_id() -> int:
    return os.getpid()


@app.task(max_retries=2, retry_for=(BusyError,))
def own_process_id() -> int:
    return os.getpid()
