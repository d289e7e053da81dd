"""Tests of the plugin: each runs pytest inside pytest."""
