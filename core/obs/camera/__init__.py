"""What the focal plane is."""
