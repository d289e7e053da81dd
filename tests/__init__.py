"""Tests of pytest-pynenc-state."""
