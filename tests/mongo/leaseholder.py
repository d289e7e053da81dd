"""A process that has a share in a server until its standard input ends, or it is killed.

Run as a module, with the folder of the lease. It prints the server's pid once it has a share.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_pynenc_state.backends.mongo.lease import acquire
from tests.mongo.leased_server import COMMAND, answers


def main(folder: Path) -> None:
    """Hold a share."""
    lease = acquire(folder, (*COMMAND, str(folder), *sys.argv[2:]), answers)
    sys.stdout.write(f"{lease.pid}\n")
    sys.stdout.flush()
    sys.stdin.read()
    lease.release()
    sys.stdout.write("released\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
