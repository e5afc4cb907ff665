"""What is still wrong with a camera's package, as its raw files show."""
