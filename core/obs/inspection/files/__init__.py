"""Compare the raw files of one camera with each other."""
