"""A small result over a large one leaves the large one to be read."""

import os
import random

from pynenc import PynencBuilder

app = PynencBuilder().app_id("shop").mongo(url=os.environ["MONGO_URL"]).build()
app.config_values["chunk_threshold"] = 100_000
large = "".join(random.choices("abcdefgh", k=1_000_000))
app.state_backend._set_result("an id", large)
app.state_backend._set_result("an id", "small")
print("characters:", len(app.state_backend._get_result("an id")))

# Prints: characters: 1000000
# Should: characters: 5
