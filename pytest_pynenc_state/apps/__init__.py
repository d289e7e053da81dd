"""Building an app on a place, pointing an author's own app to it, and putting all back."""
