"""Score, show, record."""
