"""Sky maps as files: our YAML, and what can be read of the pickles of the LSST stack."""

from pathlib import Path
from typing import Any

import yaml

from obs.repo.atomic import atomic_write
from obs.repo.yaml_fault import YamlFault
from obs.skymap.pickled import read_pickled_sky_map
from obs.skymap.sky_map import SkyMap
from obs.skymap.types import describe_sky_map, restore_sky_map
from obs.yaml_lines import load_yaml

__all__ = ["read_sky_map", "write_sky_map"]


def read_sky_map(path: Path) -> SkyMap[Any]:
    """Read a sky map from its file.

    Parameters
    ----------
    path : Path
        YAML, or a pickle of the LSST stack, which is never unpickled.

    Raises
    ------
    FileFormatError
        If the file is none, or a pickle with anything in it that a sky map does not need.
    """
    if path.suffix in (".pickle", ".pkl"):
        return read_pickled_sky_map(path)
    return restore_sky_map(load_yaml(path, error=YamlFault)[0], path)


def write_sky_map(sky_map: SkyMap[Any], path: Path) -> None:
    """Write a sky map as YAML.

    Parameters
    ----------
    sky_map : SkyMap
        Sky map of one of the known types.
    path : Path
        File; it is written whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_write(path) as file:
        file.write(yaml.safe_dump(describe_sky_map(sky_map), sort_keys=False).encode())
