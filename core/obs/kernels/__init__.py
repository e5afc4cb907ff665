"""Loops in C for what numpy does in many passes over memory; optional, and the same results to rounding."""
