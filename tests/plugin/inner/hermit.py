"""A process that no signal but the last can end; it says that it is there in a file."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path(sys.argv[1]).touch()
while True:
    signal.pause()
