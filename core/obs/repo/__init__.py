"""The data repository: registry, files, and the Butler that finds its way among them."""
