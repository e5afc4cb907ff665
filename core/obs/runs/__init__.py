"""Run the pipelines over many data IDs: what the commands and Python users call."""
