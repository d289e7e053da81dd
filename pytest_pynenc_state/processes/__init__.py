"""Other OS processes on a place: runners, and the certainty that they end."""
