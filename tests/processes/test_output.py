"""What child processes print: the end of it is kept, also once they are gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from pytest_pynenc_state.processes.output import Output


@pytest.fixture
def output() -> Iterator[Output]:
    """An output that nothing has been printed to."""
    output = Output()
    yield output
    output.close()


def run(program: str, output: Output) -> None:
    subprocess.run([sys.executable, "-c", program], stdout=output.fileno(), check=True)


def test_what_several_children_print_is_kept_in_order(output: Output) -> None:
    """Looking at it in between moves nothing."""
    run("print('first')", output)
    assert output.tail() == "first"

    run("print('second')", output)

    assert output.tail() == "first\nsecond"


def test_the_last_lines_of_much_are_kept_whole(output: Output) -> None:
    """A runner that floods its output does not fill the report."""
    run("for n in range(100_000): print('line', n)", output)

    lines = output.tail().splitlines()

    assert lines == [f"line {n}" for n in range(100_000 - len(lines), 100_000)]
    assert 10 < len(lines) < 100


def test_the_last_lines_outlive_the_file(output: Output) -> None:
    """A report may be written after everything was stopped."""
    run("print('what went wrong')", output)

    output.close()

    assert output.tail() == "what went wrong"


def test_bytes_that_are_no_text_are_shown_as_such(output: Output) -> None:
    """A report never fails for what a child printed."""
    run(r"import sys; sys.stdout.buffer.write(b'odd \xff byte')", output)

    assert output.tail() == "odd \ufffd byte"
