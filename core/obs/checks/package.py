"""Everything that can be wrong with a camera's package, with the place and how to fix it."""

from obs.checks.instrument import check_instrument
from obs.checks.open_package import open_packages
from obs.checks.problem import Problem

__all__ = ["Problem", "check_package"]


def check_package(what: str) -> list[Problem]:
    """Check a camera's package; nothing need be installed.

    Parameters
    ----------
    what : str
        Name of an installed camera, or the folder of a package: the one with ``pyproject.toml``, or the Python package.

    Returns
    -------
    list of Problem
        What is wrong; empty if nothing is.

    Raises
    ------
    PluginError
        If there is no such package.
    """
    problems: list[Problem] = []
    for package in open_packages(what):
        problems += package.problems or check_instrument(package.instrument, package.name, package.folder)
    return problems
