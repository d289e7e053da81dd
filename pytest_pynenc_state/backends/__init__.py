"""The backends: what they are (`backend`), which there are (`catalogue`), and ours."""
