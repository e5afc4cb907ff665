"""What a camera plugin is, and how it is found."""
