"""Match sources to reference stars, and fit a WCS to the pairs."""
