"""Dimension records of a sky map: its tracts and patches, with their places on the sky."""

from typing import Any

from lsst.daf.butler import Butler as Gen3Butler

from obs.gen3_repository.records import polygon
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Tract

__all__ = ["sky_map_name", "sky_map_record", "tract_records"]


def sky_map_name(there: Gen3Butler, sky_map: SkyMap[Any]) -> str:
    """Return the name of a sky map: the one that the repository knows it by, or a new one of its type and hash.

    Parameters
    ----------
    there : Gen3Butler
        The other repository.
    sky_map : SkyMap
        Sky map; it is recognized by its hash.
    """
    code = bytes.fromhex(sky_map.sha1)
    known = (record.name for record in there.registry.queryDimensionRecords("skymap") if record.hash == code)
    return next(known, f"{sky_map.type_name}_{sky_map.sha1[:12]}")


def sky_map_record(sky_map: SkyMap[Any], name: str) -> dict[str, Any]:
    """Return the record of a sky map.

    Parameters
    ----------
    sky_map : SkyMap
        Sky map.
    name : str
        Its name in the other repository.
    """
    tracts = [sky_map.tract(number) for number in {0, sky_map.n_tract // 2, sky_map.n_tract - 1}]
    return {
        "name": name,
        "hash": bytes.fromhex(sky_map.sha1),
        "tract_max": sky_map.n_tract,
        "patch_nx_max": max(tract.n_patch[0] for tract in tracts),
        "patch_ny_max": max(tract.n_patch[1] for tract in tracts),
    }


def tract_records(tract: Tract, name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a tract and all of its patches, by element; ``name`` is that of the sky map.

    Parameters
    ----------
    tract : Tract
        Tract with its patches.
    name : str
        Name of the sky map in the other repository.
    """
    here = {"skymap": name, "tract": tract.number}
    return {
        "tract": [{"skymap": name, "id": tract.number, "region": polygon(tract.corners())}],
        "patch": [
            {
                **here,
                "id": number,
                "cell_x": patch.index[0],
                "cell_y": patch.index[1],
                "region": polygon(tract.corners(patch.outer_box)),
            }
            for number, patch in enumerate(tract)
        ],
    }
