"""Measure the sky: its level, its shape and its noise."""
