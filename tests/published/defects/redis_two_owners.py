"""Several runners claim one invocation: the check is not in the transaction of the change."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

from pynenc import PynencBuilder
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

app = PynencBuilder().app_id("shop").redis(url=os.environ["REDIS_URL"]).build()
task, winners = app.task(dedent), Counter()


def claim(invocation, runner_id):
    try:
        pending = InvocationStatus.PENDING
        app.orchestrator._atomic_status_transition(invocation.invocation_id, pending, runner_id)
        winners[invocation.invocation_id] += 1
    except InvocationStatusError:
        pass


with ThreadPoolExecutor(2) as pool:
    for each in [task(f"text {number}") for number in range(300)]:
        list(pool.map(claim, [each] * 2, "ab"))
print("owners of one invocation:", max(winners.values()))

# Prints: owners of one invocation: 2
# Should: owners of one invocation: 1
