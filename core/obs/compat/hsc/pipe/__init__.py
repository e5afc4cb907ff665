"""Packages below ``hsc.pipe``."""
