"""What only the memory backend promises."""
