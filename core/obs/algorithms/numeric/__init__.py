"""Numbers without pixels: points near other points, and functions that are not elementary."""
