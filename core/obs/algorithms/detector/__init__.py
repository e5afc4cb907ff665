"""Remove the signature of a detector, and mask the pixels that cannot be trusted."""
