"""Tests of the plugin run pytest inside pytest; only the root conftest may load that plugin."""

pytest_plugins = ["pytester"]
