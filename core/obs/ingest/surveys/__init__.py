"""Download reference catalogs of published surveys by the Table Access Protocol of the Virtual Observatory."""
