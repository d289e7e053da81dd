"""The conformance suite on backends that others have published; a root of its own."""
