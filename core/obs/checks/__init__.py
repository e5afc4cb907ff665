"""Find errors in the package of a camera."""
