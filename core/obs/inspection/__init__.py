"""Read from raw files how their camera works, each fact with its source and confidence."""
