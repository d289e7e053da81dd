"""Programs that the tests copy into the directory of an inner run."""
