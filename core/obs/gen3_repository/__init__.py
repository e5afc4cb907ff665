"""Repositories of the third-generation LSST stack (lsst-daf-butler): write one, and take data from one."""
