"""Difference images: what changed between an image and a template."""
