"""One measurement a file, each over all sources at once."""
