"""Pages on which a night is judged, from the metrics and images in a repository."""
