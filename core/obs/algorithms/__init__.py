"""Numbers in, numbers out: what is done to pixels and sources, without the framework."""
