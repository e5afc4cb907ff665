"""Packages below ``hsc.pipe.base``."""
