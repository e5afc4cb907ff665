"""SAOImage DS9 as a display."""
