"""Where the shop keeps what is not pynenc's: plain files below the directory ``SHOP_DATA``.

Files, because tasks run in any process, on behalf of any other.
"""

from __future__ import annotations

import os
from pathlib import Path


def folder(name: str) -> Path:
    """Return the folder *name* of the shop, and make it if it is missing."""
    path = Path(os.environ["SHOP_DATA"]) / name
    path.mkdir(parents=True, exist_ok=True)
    return path
