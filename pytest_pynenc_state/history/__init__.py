"""Status histories: reading them settled, comparing them with paths, judging them by rules."""
