"""Purging two due invocations waits for its own lock, and after minutes gives up."""

import os
import tempfile
from textwrap import dedent
from threading import Thread

from pynenc import PynencBuilder

path = tempfile.mkdtemp() + "/pynenc.db"
app = PynencBuilder().app_id("shop").sqlite(path).build()
app.config_values["auto_final_invocation_purge_hours"] = 0.0
for text in ("one", "two"):
    app.orchestrator.set_up_invocation_auto_purge(app.task(dedent)(text).invocation_id)
purge = Thread(target=app.orchestrator.auto_purge)
purge.start()
purge.join(10)
print("still purging after 10 s:", purge.is_alive(), flush=True)
os._exit(0)

# Prints: still purging after 10 s: True
# Should: still purging after 10 s: False
