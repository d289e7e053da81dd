"""What tests of processes look at: statuses, histories, and which processes live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_pynenc_state.errors import ProcessDied
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state.processes.child import Child

#: Hang guard: a process that starts, and does next to nothing.
START_S = 30.0
#: The same of one that has started.
DEADLINE_S = 20.0


def statuses(app: Pynenc, invocation_id: str) -> list[str]:
    """The history, as far as it is written."""
    return [
        record.status_record.status.value for record in app.state_backend.get_history(invocation_id)
    ]


def status(app: Pynenc, invocation_id: str) -> str:
    return str(app.orchestrator.get_invocation_status(invocation_id).value)


def has_died(child: Child) -> bool:
    """Whether *child* was killed (-9); fails if it has answered."""
    with pytest.raises(ProcessDied, match=r"SIGKILL"):
        child.result()
    return not child.is_alive()


def awaited(sign_of_life: Path) -> Path:
    assert wait_until(sign_of_life.exists, DEADLINE_S)
    return sign_of_life


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
