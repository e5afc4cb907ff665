"""Calibration frames from the raw frames of a repository."""
