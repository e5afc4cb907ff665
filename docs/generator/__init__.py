"""Writes the pages of the guide that follow from the code."""

from obs.threads import use_one_thread

use_one_thread()  # before a module of this package loads numpy, as every command does
