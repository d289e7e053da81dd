"""The pynenc application of the shop.

Where its state is kept is not decided here: a deployment names its components with ``PYNENC__...``
variables, and without any of them pynenc keeps everything in the memory of one process.
"""

from __future__ import annotations

from pynenc import Pynenc

app = Pynenc(
    config_values={
        "app_id": "shop",
        "runner_cls": "ThreadRunner",
        # Runners import these modules when they start, because a trigger that nobody has
        # imported never fires. A list, although pynenc documents a set: it writes these values
        # as JSON into some state backends.
        "trigger_task_modules": ["shop.receipts"],
    }
)

# pynenc 0.3.0 made workflows explicit. Before that, every task called from outside of any other
# task is the root of its own workflow, so there a plain task does the same job.
workflow = app.workflow if hasattr(app, "workflow") else app.task
