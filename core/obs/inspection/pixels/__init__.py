"""Measure in the pixels where an image has overscan, and how noisy it is."""
