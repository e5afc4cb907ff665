"""Calibrate all visits of a field together: one fit over all stars that they have in common."""
