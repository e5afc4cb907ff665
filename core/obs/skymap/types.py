"""The types of sky maps by name, and their text form."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from obs.errors import ConfigError, FileFormatError, suggest
from obs.skymap.discrete import DiscreteSkyMap
from obs.skymap.dodecahedron import DodecahedronSkyMap
from obs.skymap.equatorial import EquatorialSkyMap
from obs.skymap.healpix import HealpixSkyMap
from obs.skymap.rings import RingsSkyMap
from obs.skymap.settings import (
    DiscreteSettings,
    DodecahedronSettings,
    EquatorialSettings,
    HealpixSettings,
    RingsSettings,
    SkyMapSettings,
)
from obs.skymap.sky_map import SkyMap

__all__ = ["LSST_SETTINGS", "SKY_MAP_TYPES", "describe_sky_map", "make_sky_map", "restore_sky_map"]

#: Class and settings of each type, by our name.
SKY_MAP_TYPES: dict[str, tuple[type[SkyMap[Any]], type[SkyMapSettings]]] = {
    "discrete": (DiscreteSkyMap, DiscreteSettings),
    "rings": (RingsSkyMap, RingsSettings),
    "dodecahedron": (DodecahedronSkyMap, DodecahedronSettings),
    "equatorial": (EquatorialSkyMap, EquatorialSettings),
    "healpix": (HealpixSkyMap, HealpixSettings),
}

#: Names of types and settings in the LSST stack.
_LSST_TYPES = {"dodeca": "dodecahedron", "equat": "equatorial"}
LSST_SETTINGS = {
    "patchBorder": "patch_border",
    "tractOverlap": "tract_overlap",
    "pixelScale": "pixel_scale",
    "projection": "projection",
    "rotation": "rotation",
    "raList": "ra",
    "decList": "dec",
    "radiusList": "radius",
    "numRings": "n_ring",
    "raStart": "ra_start",
    "withTractsOnPoles": "tracts_on_poles",
    "numTracts": "n_tract",
    "log2NSide": "log2_nside",
    "nSide": "log2_nside",
    "nest": "nest",
}
_PAIRS = {"patchInnerDimensions": ("patch_width", "patch_height"), "decRange": ("dec_min", "dec_max")}


def make_sky_map(kind: str, settings: Mapping[str, Any]) -> SkyMap[Any]:
    """Make a sky map from the name of its type and its settings, by our names or those of the LSST stack.

    Parameters
    ----------
    kind : str
        Type, for example "rings" or "discrete", or the name that the LSST stack has for it.
    settings : mapping
        Settings of that type.

    Raises
    ------
    ConfigError
        For a type or a setting that does not exist, or a value out of range.
    """
    name = _LSST_TYPES.get(kind, kind)
    if name not in SKY_MAP_TYPES:
        known = ", ".join(SKY_MAP_TYPES)
        raise ConfigError(f"no type of sky maps '{kind}'{suggest(kind, SKY_MAP_TYPES)}; types: {known}")
    sky_map, settings_class = SKY_MAP_TYPES[name]
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key in _PAIRS:
            if not isinstance(value, Sequence) or len(value) != 2:
                raise ConfigError(f"{key}: expected two numbers, got {value!r}", field=key)
            values |= dict(zip(_PAIRS[key], value, strict=True))
        else:
            values[LSST_SETTINGS.get(key, key)] = value
    for key in values:
        if key not in settings_class.model_fields:
            allowed = settings_class.model_fields
            hint = f"{suggest(key, allowed)}; it has {', '.join(allowed)}"
            raise ConfigError(f"a sky map of type {name} has no setting '{key}'{hint}")
    try:
        return sky_map(settings_class(**values))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            about = (settings_class.model_fields[field].description or "").rstrip(".")
            raise ConfigError(
                f"a {name} sky map needs a value for {field} ({about}): -c {field}=VALUE", field=field
            ) from None
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"sky map: {field + ': ' if field else ''}{reason}", field=field) from None


def describe_sky_map(sky_map: SkyMap[Any]) -> dict[str, Any]:
    """Return the plain data that a sky map is written as: type, settings and hash.

    Parameters
    ----------
    sky_map : SkyMap
        Sky map of one of the known types.
    """
    return {"type": sky_map.type_name, "settings": sky_map.settings.model_dump(), "sha1": sky_map.sha1}


def restore_sky_map(data: object, path: Path | str) -> SkyMap[Any]:
    """Return the sky map of what `describe_sky_map` made.

    Parameters
    ----------
    data : object
        Plain data of a file.
    path : Path or str
        File, for the error.

    Raises
    ------
    FileFormatError
        If the data are not a sky map, or were changed so that the hash does not fit them.
    """
    parts = {"type", "settings", "sha1"}
    if not (isinstance(data, Mapping) and parts <= set(data) and isinstance(data["settings"], Mapping)):
        raise FileFormatError(
            "is not a whole sky map: it needs 'type', 'settings' and 'sha1'; make one: obs skymap make", path=path
        )
    try:
        sky_map = make_sky_map(str(data["type"]), data["settings"])
    except ConfigError as error:
        raise FileFormatError(str(error), path=path) from None
    if data["sha1"] != sky_map.sha1:
        raise FileFormatError(
            "settings and sha1 do not fit: the file was edited; make the sky map anew with obs skymap make", path=path
        )
    return sky_map
