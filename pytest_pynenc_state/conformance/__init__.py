"""The conformance suite: pynenc's contract, clause by clause, for any backend."""
