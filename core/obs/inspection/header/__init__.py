"""Read facts from header cards."""
