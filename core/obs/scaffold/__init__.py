"""From raw files, or answers, to the package of a camera."""
