"""Images in memory, and what is known about them."""
