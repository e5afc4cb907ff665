"""Many exposures of the same sky at once: where their common stages meet the repository."""
