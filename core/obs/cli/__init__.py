"""The `obs` command, one file a command group."""
