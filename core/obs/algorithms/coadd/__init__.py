"""Images on a common grid: resample, match backgrounds, find artifacts, combine."""
