"""Tests of the MongoDB backends alone."""
