"""Two runners claim one invocation: what allows the change is read before its transaction."""

import os
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

from pynenc import PynencBuilder
from pynenc.invocation.status import InvocationStatus

app = PynencBuilder().app_id("shop").redis(url=os.environ["REDIS_URL"]).build()
task, claim = app.task(dedent), app.orchestrator._atomic_status_transition
owners, pending = 0, InvocationStatus.PENDING
with ThreadPoolExecutor(2) as pool:
    for number in range(300):
        claimed = task(f"text {number}").invocation_id
        claims = [pool.submit(claim, claimed, pending, runner) for runner in ("a", "b")]
        owners = max(owners, sum(each.exception() is None for each in claims))
print("owners of one invocation:", owners)

# Prints: owners of one invocation: 2
# Should: owners of one invocation: 1
