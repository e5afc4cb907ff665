"""Arrays of pixels: blocks of rows, runs, windows, grown regions, smoothing, clipped statistics."""
