"""What each command of `obs` looks like: its arguments, options and help. What it does is in the module above."""
