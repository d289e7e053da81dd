"""The backends `mongo` and `mongomock`: one on a real MongoDB, one on a server of this run."""
