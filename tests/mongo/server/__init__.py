"""Tests of the MongoDB part."""
