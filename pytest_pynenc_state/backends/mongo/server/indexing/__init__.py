"""Indexes for mongomock's collections: keyed reads, guarded writes, documents never changed."""
