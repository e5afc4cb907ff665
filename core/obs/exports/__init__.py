"""Results of a repository as files that need no repository."""
