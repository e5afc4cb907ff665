"""Exceptions, by the names of the stack."""
