"""Update operators and accumulators that meet values of another type than usual."""

from __future__ import annotations

import pytest
from pymongo.errors import OperationFailure

from tests.mongo.server.conftest import Collection


@pytest.mark.parametrize("accumulator", ["$min", "$max"])
def test_a_group_of_values_that_python_cannot_compare_is_refused(
    collection: Collection, accumulator: str
) -> None:
    """Rather than answered with Python's words alone."""
    collection.insert_many([{"v": 1}, {"v": "x"}])

    with pytest.raises(OperationFailure, match="not supported here: mongomock gave up") as caught:
        list(collection.aggregate([{"$group": {"_id": None, "m": {accumulator: "$v"}}}]))

    assert caught.value.code == 238
