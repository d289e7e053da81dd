"""What every backend promises, run on each of them; and what one engine promises."""
