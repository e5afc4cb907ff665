"""Settings of the tasks, in layers that remember where each value came from."""
