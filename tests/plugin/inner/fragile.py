"""An app that can be imported by pytest, but not by what a test starts."""

from __future__ import annotations

import sys

from pynenc import Pynenc

if "pytest" not in sys.modules:
    message = "this module is too fragile"
    raise RuntimeError(message)

app = Pynenc(config_values={"app_id": "fragile"})
