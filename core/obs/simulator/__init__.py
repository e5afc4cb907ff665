"""Raw frames with known truth, for any camera."""
