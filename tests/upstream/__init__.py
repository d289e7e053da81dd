"""The suites that pynenc ships for authors of backends; a root of its own."""
