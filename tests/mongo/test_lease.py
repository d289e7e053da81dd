"""Sharing one server between processes, none of which has to end it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from pytest_pynenc_state.backends.mongo import lease as leasing
from pytest_pynenc_state.backends.mongo.lease import Lease, acquire
from pytest_pynenc_state.errors import BackendUnavailable
from pytest_pynenc_state.waiting import wait_until
from tests.mongo.forked import fork, join, open_files
from tests.mongo.leased_server import COMMAND, answers

# The promise: a server that nobody uses any more has ended after this time.
GONE_S = 1.0

# Hang guard: a process only has to start.
START_S = 30.0

Holder = subprocess.Popen[str]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Have a folder; whatever a test has started for it is gone afterwards."""
    yield tmp_path
    assert wait_until(lambda: living(tmp_path) == [], GONE_S)


@pytest.fixture
def hold(folder: Path) -> Iterator[Callable[..., Holder]]:
    """Start processes that have a share; `server_of` tells when they have it."""
    with ExitStack() as stack:

        def start(*fault: str, options: tuple[str, ...] = ()) -> Holder:
            process = subprocess.Popen(
                [sys.executable, *options, "-m", "tests.mongo.leaseholder", str(folder), *fault],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def server_of(holder: Holder) -> int:
    """Wait until *holder* has its share, and return the server's process."""
    assert holder.stdout is not None
    return int(holder.stdout.readline())


def lease_of(folder: Path, *fault: str) -> Lease:
    return acquire(folder, (*COMMAND, str(folder), *fault), answers)


def started(folder: Path) -> list[int]:
    """The servers that were ever started for *folder*, in order."""
    record = folder / "started.txt"
    return [int(line) for line in record.read_text().split()] if record.exists() else []


def lives(pid: int) -> bool:
    """Whether the process runs, and is more than an entry that nobody has asked for yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def living(folder: Path) -> list[int]:
    return [pid for pid in started(folder) if lives(pid)]


def test_the_first_user_starts_the_server_and_others_join(folder: Path) -> None:
    """They are told the same port, and somebody listens there."""
    first, second = lease_of(folder), lease_of(folder)

    assert (second.port, second.pid) == (first.port, first.pid)
    assert started(folder) == [first.pid]
    assert answers(second.port)
    first.release()
    second.release()


def test_the_server_has_ended_when_the_last_release_returns(folder: Path) -> None:
    """Also if the one that started it went first; no entry of it is left, and no file."""
    first, second = lease_of(folder), lease_of(folder)

    first.release()
    assert living(folder) == [first.pid]
    second.release()

    assert not psutil.pid_exists(first.pid)
    assert sorted(path.name for path in folder.iterdir()) == ["server.lock", "started.txt"]


def test_the_server_is_out_of_reach_of_the_keyboard(folder: Path) -> None:
    """Ctrl-C goes to the process group of pytest, whose tests still need it to clean up."""
    lease = lease_of(folder)

    assert os.getsid(lease.pid) == lease.pid
    lease.release()


def test_a_second_release_does_nothing(folder: Path) -> None:
    """Otherwise it would close whatever has got the same descriptor meanwhile."""
    first, second = lease_of(folder), lease_of(folder)
    first.release()

    first.release()

    assert answers(second.port)
    second.release()


def test_after_the_last_release_a_new_server_is_started(folder: Path) -> None:
    """Again and again; never is the one that ends taken for one that runs."""
    for _ in range(10):
        lease = lease_of(folder)
        assert answers(lease.port)
        lease.release()

    assert len(set(started(folder))) == 10


def test_two_folders_have_two_servers(folder: Path) -> None:
    """Two runs of pytest at once have different folders."""
    (folder / "other").mkdir()
    first, other = lease_of(folder), lease_of(folder / "other")

    assert first.port != other.port
    other.release()
    assert answers(first.port)
    first.release()


def test_users_that_come_at_once_share_one_server(
    folder: Path, hold: Callable[..., Holder]
) -> None:
    """One of them starts it, the others wait for that; it outlives all of them but one."""
    holders = [hold() for _ in range(5)]
    assert {server_of(holder) for holder in holders} == set(started(folder))
    assert len(started(folder)) == 1

    for holder in holders[1:]:
        holder.kill()
        holder.wait()
    assert living(folder) == started(folder)
    holders[0].kill()
    assert wait_until(lambda: living(folder) == [], GONE_S)


def test_the_server_stays_when_its_starter_is_killed(
    folder: Path, hold: Callable[..., Holder]
) -> None:
    """As long as anybody else uses it."""
    starter = hold()
    server = server_of(starter)
    lease = lease_of(folder)

    starter.kill()
    starter.wait()

    assert lease.pid == server
    assert answers(lease.port)
    lease.release()
    assert wait_until(lambda: not lives(server), GONE_S)


def test_a_starter_that_goes_first_warns_of_nothing(
    folder: Path, hold: Callable[..., Holder]
) -> None:
    """The server is its child and still runs, which Python's own Popen would complain about."""
    starter = hold(options=("-X", "dev", "-W", "error"))
    assert server_of(starter)
    lease = lease_of(folder)

    printed, complaints = starter.communicate(timeout=START_S)

    assert (starter.returncode, printed, complaints) == (0, "released\n", "")
    lease.release()


def test_a_killed_server_is_replaced_for_the_next_user(folder: Path) -> None:
    """What it has left in the folder leads nowhere; who used it may still release it."""
    former = lease_of(folder)
    psutil.Process(former.pid).kill()
    assert wait_until(lambda: not lives(former.pid), GONE_S)

    new = lease_of(folder)

    assert new.pid != former.pid
    former.release()
    assert answers(new.port)
    new.release()


def test_a_server_that_is_about_to_end_is_not_joined(
    folder: Path, hold: Callable[..., Holder]
) -> None:
    """It has read the end of its input, but still listens, and even accepts."""
    last = hold("lingers")
    server = server_of(last)
    last.kill()
    assert wait_until((folder / "lingering").exists, START_S)

    lease = lease_of(folder)

    assert lease.pid != server
    assert answers(lease.port)
    lease.release()


def test_a_server_that_is_busy_is_asked_again(folder: Path) -> None:
    """Another process has given it much to do; a second one would have other data."""
    former, replies = lease_of(folder), iter([False, False, True])

    lease = acquire(folder, COMMAND, lambda _port: next(replies))

    assert lease.pid == former.pid
    assert list(replies) == []
    for each in (former, lease):
        each.release()


def test_a_server_that_does_not_answer_is_told_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has stopped it, or it hangs; a second one would have other data."""
    lease = lease_of(folder)
    # From now on: the server itself had all the time it needs to start.
    monkeypatch.setattr(leasing, "_START_TIMEOUT_S", 0.1)
    monkeypatch.setattr(leasing, "_STOP_TIMEOUT_S", 0.1)

    with pytest.raises(BackendUnavailable, match=f"{lease.pid}.*does not answer") as caught:
        acquire(folder, COMMAND, lambda _port: False)

    assert len(caught.value.remedies) == 3
    lease.release()
    assert not lives(lease.pid), "the one that was refused still holds a share"


@pytest.mark.parametrize(
    ("fault", "printed"),
    [("crashes", "no memory left"), ("babbles", '"port": "none"'), ("is silent", "nothing")],
)
def test_a_server_that_does_not_start_is_told_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str, printed: str
) -> None:
    """With what was tried and what it printed; nothing of it is left."""
    before = psutil.Process().children()
    if fault == "is silent":
        monkeypatch.setattr(leasing, "_START_TIMEOUT_S", 0.5)

    with pytest.raises(BackendUnavailable) as caught:
        lease_of(folder, fault)

    assert " ".join(COMMAND) in caught.value.message
    assert printed in caught.value.message
    assert len(caught.value.remedies) == 3
    assert psutil.Process().children() == before
    assert {path.name for path in folder.iterdir()} <= {"server.lock", "started.txt"}


def test_a_program_that_is_not_there_is_told_of(folder: Path) -> None:
    """As any other server that does not start."""
    with pytest.raises(BackendUnavailable, match="No such file"):
        acquire(folder, ["/nowhere/at/all"], answers)

    assert [path.name for path in folder.iterdir()] == ["server.lock"]


def test_a_folder_that_cannot_be_used_is_told_of(tmp_path: Path) -> None:
    """Here it is a file."""
    tmp_path.joinpath("file").touch()

    with pytest.raises(BackendUnavailable, match="can be shared by way of"):
        acquire(tmp_path / "file", COMMAND, answers)


def test_a_server_that_does_not_end_is_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the last one that used it."""
    monkeypatch.setattr(leasing, "_STOP_TIMEOUT_S", 0.3)
    lease = lease_of(folder, "stays")

    lease.release()

    assert not psutil.pid_exists(lease.pid)


def test_a_forked_child_does_not_prolong_the_server(folder: Path) -> None:
    """It may outlive the run, and has not asked for a share."""
    lease = lease_of(folder)
    child, alive = fork(lambda: None)

    lease.release()

    assert wait_until(lambda: not lives(lease.pid), GONE_S)
    assert join(child, alive) == 0


def test_a_forked_child_cannot_give_its_parents_share_back(folder: Path) -> None:
    """Nor does it wait for anything when it tries."""
    lease = lease_of(folder)

    assert join(*fork(lease.release)) == 0

    assert answers(lease.port)
    lease.release()


def test_a_forked_child_may_have_a_share_of_its_own(folder: Path) -> None:
    """It gets it as any other process does."""
    lease = lease_of(folder)
    ready, theirs = os.pipe()
    child, alive = fork(lambda: os.write(theirs, bytes(str(lease_of(folder).pid), "ascii")))
    assert int(os.read(ready, 20)) == lease.pid

    lease.release()

    assert lives(lease.pid)
    assert join(child, alive) == 0
    assert wait_until(lambda: not lives(lease.pid), GONE_S)
    for descriptor in (ready, theirs):
        os.close(descriptor)


def test_a_program_that_is_started_does_not_get_a_share(folder: Path) -> None:
    """Not even one that is given every descriptor that can be inherited."""
    lease = lease_of(folder)
    descriptor = lease._writer
    program = f"import os; os.fstat({descriptor})"

    done = subprocess.run(
        [sys.executable, "-c", program], close_fds=False, stderr=subprocess.PIPE, check=False
    )

    assert os.strerror(errno.EBADF).encode() in done.stderr
    lease.release()


# What Python says of any fork while a thread runs; here that is what is tested.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_in_the_middle_of_joining_leaves_the_child_without_a_share(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread has just opened an end, and not yet noted it."""
    lease, end_is_open = lease_of(folder), threading.Event()
    open_file = os.open

    def open_slowly(path: Path, *arguments: int, **options: int | None) -> int:
        descriptor = open_file(path, *arguments, **options)
        if str(path).endswith(".fifo"):
            end_is_open.set()
            threading.Event().wait(0.2)  # for nothing: a window wide enough to fork in
        return descriptor

    def assert_no_fifo() -> None:
        assert [name for name in open_files() if name.endswith(".fifo")] == []

    monkeypatch.setattr(os, "open", open_slowly)
    guest = threading.Thread(target=lambda: lease_of(folder).release())
    guest.start()
    assert end_is_open.wait(START_S)

    assert join(*fork(assert_no_fifo)) == 0

    guest.join()
    lease.release()
