"""How good the results are, in numbers and pictures."""
