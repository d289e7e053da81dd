"""What became of the conformance suite: in the terminal, as JSON, as Markdown."""
