"""Record which software an output repository was made with."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import yaml

from obs.errors import ConfigError
from obs.repo.atomic import atomic_write
from obs.repo.rerun_settings import find_differences
from obs.version import read_name_and_version
from obs.yaml_lines import load_yaml

__all__ = ["package_versions", "record_packages"]

#: Software whose version can change a result.
_PACKAGES = ("obs-toolkit", "numpy", "scipy", "astropy", "sep")


def record_packages(output: Path) -> list[str]:
    """Keep the versions of the software, and return those that are not what they were, in words.

    Parameters
    ----------
    output : Path
        Output folder.

    Returns
    -------
    list of str
        One line for each version that differs from the recorded one; empty for a new folder.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    path = output / "config" / "packages.yaml"
    now = package_versions()
    before: Any = load_yaml(path, error=ConfigError)[0] if path.exists() else None
    differences = [] if before is None else find_differences(before, now)
    if before is None or differences:
        with atomic_write(path) as file:
            file.write(yaml.safe_dump(now).encode())
    return differences


def package_versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of what is installed of some packages."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = read_name_and_version(distribution(package))[1]
        except PackageNotFoundError:
            continue
    return versions
