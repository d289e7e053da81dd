"""A MongoDB server for tests: the wire protocol over an in-memory mongomock store."""
