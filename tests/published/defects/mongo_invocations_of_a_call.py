"""The invocations of a call cannot be asked for: the driver is handed pynenc's object."""

import os
from textwrap import dedent

from pynenc import PynencBuilder

app = PynencBuilder().app_id("shop").mongo(url=os.environ["MONGO_URL"]).build()
invocation = app.task(dedent)("text")
try:
    print("found:", len(list(app.orchestrator.get_call_invocation_ids(invocation.call.call_id))))
except Exception as error:
    print("raised:", type(error).__name__)

# Prints: raised: InvalidDocument
# Should: found: 1
