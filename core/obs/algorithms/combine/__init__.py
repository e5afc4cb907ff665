"""Combine frames of the same thing."""
