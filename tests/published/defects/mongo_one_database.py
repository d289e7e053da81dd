"""The second database that is configured on one server is the first one."""

import os

from pynenc import PynencBuilder

url = os.environ["MONGO_URL"]
first = PynencBuilder().app_id("shop").mongo(url=url).custom_config(mongo_db="first").build()
second = PynencBuilder().app_id("shop").mongo(url=url).custom_config(mongo_db="second").build()
first.state_backend._set_result("an id", "of the first database")
print("second database has a result", second.state_backend._get_result("an id"))

# Prints: second database has a result of the first database
# Should: KeyError
