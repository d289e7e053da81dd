"""A state backend of pynenc that keeps everything in plain files: what a third party may write."""
