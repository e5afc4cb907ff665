"""Tasks that process detector images."""
