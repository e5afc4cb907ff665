"""Find sources, separate their blends and cut them out."""
