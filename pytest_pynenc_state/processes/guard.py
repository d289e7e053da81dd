"""A tiny process that outlives a killed pytest just long enough to end what it started.

Run as a script, with nothing but the standard library. It reads lines from its standard
input: ``+<session>`` and ``-<session>``, sessions to watch and to forget, and ``.`` when
pytest ends as it should. When the input ends, or the process that started pytest as its
worker does, it kills (-9) every session still watched; unless there was a ``.``, also the
whole family of pytest, whatever sessions its members are in, and a worker itself. Then it
removes the folder that was for all of them.

The family is known by a mark. What pytest starts has it in its environment, and so has what
that starts in turn; a fork has its parent's memory, a piece of which is named after the
mark. No process loses both by leading a session, by being orphaned or by closing its files.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress

#: The variable with the mark, for all that pytest starts.
VARIABLE = "PYTEST_PYNENC_FAMILY"

_PROCESSES = "/proc"

# A process may be forked while its parent is being killed: so it is looked for again, until
# nothing is found. That takes a few rounds of milliseconds, unless something forks all the time.
_ROUNDS = 1000
_QUIET_ROUNDS = 2

_READ_BYTES = 65536

# Which of the fields from the state on says how many threads there are.
_THREADS = 17


def process_ids() -> set[int]:
    """All processes of the machine; none where it does not list them as Linux does."""
    try:
        names = os.listdir(_PROCESSES)  # noqa: PTH208 - pathlib takes many times as long
        return {int(name) for name in names if name.isdecimal()}
    except FileNotFoundError:
        return set()


def has_mark(pid: int, mark: str) -> bool:
    """Whether a living process is of the family; one of another user never is."""
    folder = f"{_PROCESSES}/{pid}"
    with suppress(OSError):
        if os.stat(folder).st_uid != os.getuid():  # noqa: PTH116 - as above
            return False
        return f"{VARIABLE}={mark}".encode() in _read(f"{folder}/environ").split(b"\0") or (
            f"/memfd:{mark} ".encode() in _read(f"{folder}/maps")
        )
    return False


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return file.read()


def stat_fields(path: str) -> list[bytes]:
    """What a file ``stat`` of a process or thread says, from its state on; nothing if it ended."""
    with suppress(OSError):
        # Before that comes its name, in parentheses, which may have any character.
        return _read(path).rpartition(b")")[2].split()
    return []


def is_dead(pid: int) -> bool:
    """Whether nothing is left of a process, but perhaps an entry for its parent to read.

    A process that is killed looks like that already while its other threads are still ending.
    """
    fields = stat_fields(f"{_PROCESSES}/{pid}/stat")
    return not fields or (fields[0] in (b"Z", b"X") and int(fields[_THREADS]) <= 1)


def _kill_all(sessions: set[int], mark: str) -> None:
    for session_id in sessions:
        # The leader of a session leads a process group of the same number.
        with suppress(ProcessLookupError):
            os.killpg(session_id, signal.SIGKILL)
    quiet_rounds = 0
    for _ in range(_ROUNDS):
        living = [pid for pid in process_ids() if pid != os.getpid() and not is_dead(pid)]
        # Not a generator: it is to kill all of them, not the first one.
        found = [_killed(pid) for pid in living if _is_ours(pid, sessions, mark)]
        # A process that is just becoming another program has no environment at that moment.
        quiet_rounds = 0 if any(found) else quiet_rounds + 1
        if quiet_rounds == _QUIET_ROUNDS:
            return


def _is_ours(pid: int, sessions: set[int], mark: str) -> bool:
    with suppress(ProcessLookupError):
        return os.getsid(pid) in sessions or (mark != "" and has_mark(pid, mark))
    return False


def _killed(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def main() -> None:
    """Watch until the input ends, or the starter does, then kill what is left.

    The command line has the mark, the id of the process that started pytest as its worker,
    which is 0 if none did, and the folder.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mark, starter, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    if starter:
        # Without it, or where there is no such thing, pytest's own end is waited for.
        with suppress(AttributeError, OSError):
            poll.register(os.pidfd_open(starter), select.POLLIN)
    watched: set[int] = set()
    unfinished = ""
    while sys.stdin.fileno() in dict(poll.poll()):
        part = os.read(sys.stdin.fileno(), _READ_BYTES).decode()
        if not part:
            break
        *lines, unfinished = (unfinished + part).split("\n")
        for line in lines:
            if line.startswith("+"):
                watched.add(int(line[1:]))
            elif line.startswith("-"):
                watched.discard(int(line[1:]))
            else:
                mark = ""
    _kill_all(watched, mark)
    import shutil  # which takes as long as all else here

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
