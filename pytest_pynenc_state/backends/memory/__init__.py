"""Backend ``memory``: everything stays in this process, shared by its threads only."""
