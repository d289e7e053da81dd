"""A worker that is terminated as soon as it is forked ends, whatever its runner does then."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A runner's handler would have the child go on; the parent itself keeps it.
PROGRAM = """
import os, signal
from pytest_pynenc_state.processes.terminable import let_forks_be_terminated

if {is_asked}:
    let_forks_be_terminated()
handled = []
signal.signal(signal.SIGTERM, lambda *_: handled.append(os.getpid()))
fates = []
for _ in range(50):
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(len(handled))
    _, status = os.waitpid(pid, 0)
    fates.append(os.waitstatus_to_exitcode(status))
os.kill(os.getpid(), signal.SIGTERM)
print(sorted(set(fates)), handled == [os.getpid()])
"""


@pytest.mark.parametrize(("is_asked", "fate"), [("False", "[1]"), ("True", "[-15]")])
def test_a_fork_ends_on_sigterm_and_its_parent_does_not(is_asked: str, fate: str) -> None:
    """Without it, it inherits the handler of its parent."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(is_asked=is_asked)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == f"{fate} True\n"
