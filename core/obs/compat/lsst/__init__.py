"""Module paths and names of the second-generation LSST stack.

A script that reads ``import lsst.`` runs with ``import obs.compat.lsst.``: each module has the path that it has in the
stack, each class the methods that the stack's tutorials call. They are thin: pixels, tables and files are those of
`obs`. In the rest of `obs`, our own names stay.
"""

from obs.compat.lsst.absent import announce_absent_modules

__all__: list[str] = []

announce_absent_modules()
