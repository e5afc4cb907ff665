"""Tasks and what they return."""
