"""Tests of the conformance suite, and our own backends under it."""
