"""What pytest shows of the way to an error: the frames that do not ask to be hidden."""

from __future__ import annotations

from pathlib import Path

import pytest


def files_shown(caught: pytest.ExceptionInfo[BaseException]) -> list[str]:
    """The name of the file of each frame that is shown, the outermost first."""
    return [Path(entry.path).name for entry in caught.traceback.filter(caught)]
