"""Task functions that any process can import; apps register them where they need them."""

from __future__ import annotations


def add(left: int = 0, right: int = 0) -> int:
    """Return the sum of two numbers."""
    return left + right


def greet(name: str = "") -> str:
    """Return a greeting."""
    return f"hello {name}"


def keyed(**arguments: str) -> int:
    """Return how many arguments it was given, under any names."""
    return len(arguments)
