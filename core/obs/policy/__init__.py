"""Where every dataset lives: data IDs, dataset types, mapper policies."""
