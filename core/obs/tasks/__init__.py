"""The steps of processing one detector, each with its settings."""
