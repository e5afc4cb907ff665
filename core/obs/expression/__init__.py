"""Conditions that users write, such as ``seeing < 0.9 and filter = 'HSC-I'``: one grammar for all commands."""

from obs.expression.condition import Condition
from obs.expression.parse import parse_expression

__all__ = ["Condition", "parse_expression"]
