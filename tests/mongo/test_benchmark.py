"""The benchmark of the server, on collections so small that it takes seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import mongomock
import psutil
import pytest

from benchmarks.server_calls import CALLERS, Share, fill
from pytest_pynenc_state.waiting import wait_until

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "benchmarks.server")

SIZES = (8, 16)
ON_SERVER = ("ping", "insert", "find by _id", "find by unique key", "compare and set")
IN_PROCESS = ON_SERVER[1:]
ROWS = {(each, clients) for each in ON_SERVER for clients in (1, 2, 4)} | {
    (each, 0) for each in IN_PROCESS
}

# Hang guard: it takes a tenth of it.
_TIMEOUT_S = 100


@dataclass(frozen=True)
class Run:
    """What a finished run has left: its output, and a mark on all its processes."""

    printed: str
    report: dict[str, Any]
    mark: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the benchmark once."""
    file, mark = tmp_path_factory.mktemp("benchmark") / "report.json", uuid4().hex
    options = ("--quick", "--sizes", *map(str, SIZES), "--json", str(file))
    finished = subprocess.run(
        (*COMMAND, *options),
        cwd=ROOT,
        env={**os.environ, "BENCHMARK_MARK": mark},
        stdout=subprocess.PIPE,
        text=True,
        timeout=_TIMEOUT_S,
        check=True,
    )
    return Run(finished.stdout, json.loads(file.read_text()), mark)


def is_of(mark: str, process: psutil.Process) -> bool:
    try:
        return process.environ().get("BENCHMARK_MARK") == mark
    except psutil.Error:  # ended meanwhile, or somebody else's
        return False


def labels(table: str) -> list[tuple[str, str]]:
    """The operation and the clients of each row of one printed table."""
    rows = table.partition("---\n")[2].splitlines()
    return [(row[:25].strip(), row[25:42].strip()) for row in rows if row.startswith(ON_SERVER)]


@pytest.mark.parametrize(
    "title", ["calls a second of all clients: ", "p50, median", "p99", "growth"]
)
def test_each_table_has_each_operation_with_each_number_of_clients(run: Run, title: str) -> None:
    """Who compares two runs finds the same rows in both."""
    (table,) = [each for each in run.printed.split("\n\n") if title in each.partition("---")[0]]

    assert set(labels(table)) == {
        (operation, str(clients) if clients else "in process") for operation, clients in ROWS
    }


def test_the_report_has_each_cell_with_its_three_rounds(run: Run) -> None:
    """A round that does not count is none of them."""
    rounds = {
        (cell["operation"], cell["clients"], cell["size"]): len(cell["p50"]["times_us"])
        for cell in run.report["cells"]
    }

    assert rounds == dict.fromkeys(((*row, size) for row in ROWS for size in SIZES), 3)


def test_the_numbers_of_a_cell_are_of_the_same_calls(run: Run) -> None:
    """One client makes about as many calls a second as the usual one takes its part of."""
    alone = [cell for cell in run.report["cells"] if cell["clients"] <= 1]

    products = [cell["per_second"] * cell["p50"]["median_us"] / 1e6 for cell in alone]

    assert all(0.02 < product < 1.2 for product in products), products


def test_what_is_compared_is_in_the_report(run: Run) -> None:
    """A ping has nothing to be compared with, nor has what the others are compared with."""
    compared = {
        (cell["operation"], cell["clients"])
        for cell in run.report["cells"]
        if cell["server_to_own"] is not None
    }

    assert compared == {(each, clients) for each, clients in ROWS if clients and each != "ping"}


def test_the_server_has_been_timed_and_weighed(run: Run) -> None:
    """A start takes longer than a stop; what is stored weighs something."""
    server = run.report["server"]

    assert server["start"]["median_us"] > 0
    assert server["stop"]["median_us"] > 0
    assert 1 < server["empty_mb"] < server["full_mb"]


def test_no_process_is_left(run: Run) -> None:
    """Neither a server nor a client."""
    assert wait_until(
        lambda: [each for each in psutil.process_iter() if is_of(run.mark, each)] == [], 5
    )


@pytest.fixture
def share() -> Share:
    """Have all documents of a small collection in process."""
    documents = mongomock.MongoClient()["benchmark"]["invocations"]
    fill(documents, SIZES[1])
    return Share(documents, SIZES[1], number=0)


@pytest.mark.parametrize("operation", ON_SERVER)
def test_a_turn_leaves_the_collection_as_large_as_it_was(operation: str, share: Share) -> None:
    """Else the last round would measure a larger one than the first."""
    CALLERS[operation](share).work(seconds=0.01)

    assert share.documents.count_documents({}) == SIZES[1]


@pytest.mark.parametrize("operation", ["find by _id", "find by unique key", "compare and set"])
def test_a_call_that_finds_nothing_ends_the_run(operation: str, share: Share) -> None:
    """It would be a fast one."""
    share.documents.delete_many({})

    with pytest.raises(RuntimeError, match=r"on benchmark\.invocations got"):
        CALLERS[operation](share).work(seconds=0.01)


@pytest.mark.parametrize("sizes", [("100",), ("3", "100")])
def test_sizes_that_cannot_be_compared_or_shared_out_are_refused(sizes: tuple[str, ...]) -> None:
    """Each of four clients needs a document; a growth needs two sizes."""
    finished = subprocess.run(
        (*COMMAND, "--sizes", *sizes),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )

    assert (finished.returncode, "not two or more from 4 on" in finished.stderr) == (2, True)
