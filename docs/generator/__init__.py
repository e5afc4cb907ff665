"""Writes the pages of the guide that follow from the code."""
