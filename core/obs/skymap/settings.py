"""Settings of the types of sky maps, by the names and with the defaults that the LSST stack has."""

from typing import Literal

import numpy as np
from pydantic import model_validator

from obs.config.base import TaskConfig, setting

__all__ = [
    "DiscreteSettings",
    "DodecahedronSettings",
    "EquatorialSettings",
    "HealpixSettings",
    "RingsSettings",
    "SkyMapSettings",
]

#: Sides of patches are 32-bit integers in the hash of the stack; an image of this width and height has 10 gigapixels.
_MOST_PIXELS = 100_000
#: A pixel of one degree, arcsec.
_LARGEST_SCALE = 3600.0


class SkyMapSettings(TaskConfig):
    """What all sky maps have."""

    patch_width: int = setting(4000, "Width of the inner box of a patch.", unit="pixel", ge=1, le=_MOST_PIXELS)
    patch_height: int = setting(4000, "Height of the inner box of a patch.", unit="pixel", ge=1, le=_MOST_PIXELS)
    patch_border: int = setting(
        100, "Border that patches share with their neighbors.", unit="pixel", ge=0, le=_MOST_PIXELS
    )
    tract_overlap: float = setting(1.0, "Overlap of neighboring tracts.", unit="deg", ge=0, le=180)
    pixel_scale: float = setting(0.333, "Pixel scale at the center of a tract.", unit="arcsec", gt=0, le=_LARGEST_SCALE)
    projection: Literal["TAN", "STG", "ZEA", "CEA"] = setting("TAN", "FITS code of the projection of tracts.")
    rotation: float = setting(
        0.0, "Position angle of the y axis of tracts, from north through east.", unit="deg", ge=-360, le=360
    )

    @model_validator(mode="before")
    @classmethod
    def _check_finite(cls, values: dict[str, object]) -> dict[str, object]:
        for name, value in values.items():
            numbers = [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, float)]
            if not np.isfinite(numbers).all():
                raise ValueError(f"{name} must be finite, got {value}")
        return values

    @model_validator(mode="after")
    def _check_projection(self) -> "SkyMapSettings":
        if self.projection == "CEA" and not isinstance(self, EquatorialSettings):
            raise ValueError("the projection CEA is for equatorial sky maps; use TAN, STG or ZEA")
        return self


class DiscreteSettings(SkyMapSettings):
    """Single tracts wherever they are needed."""

    ra: list[float] = setting(description="Right ascensions of the centers of tracts.", unit="deg", min_length=1)
    dec: list[float] = setting(description="Declinations of the centers of tracts.", unit="deg", min_length=1)
    radius: list[float] = setting(description="Half the side of each tract.", unit="deg", min_length=1)
    tract_overlap: float = setting(0.0, "Added to each radius.", unit="deg", ge=0, le=180)

    @model_validator(mode="after")
    def _check_lists(self) -> "DiscreteSettings":
        if not len(self.ra) == len(self.dec) == len(self.radius):
            raise ValueError(f"ra, dec and radius have {len(self.ra)}, {len(self.dec)} and {len(self.radius)} values")
        if any(not -360 <= value <= 360 for value in self.ra):
            raise ValueError("right ascensions are from -360 to 360 deg")
        if any(not -90 <= value <= 90 for value in self.dec) or any(not 0 < value < 60 for value in self.radius):
            raise ValueError("declinations are from -90 to 90 deg and radii above 0 and below 60 deg")
        return self


class RingsSettings(SkyMapSettings):
    """Rings of tracts at constant declination, and one tract at each pole."""

    n_ring: int = setting(description="Number of rings between the caps at the poles.", ge=1, le=10000)
    ra_start: float = setting(0.0, "Right ascension of the first tract of each ring.", unit="deg", ge=-360, le=360)
    tract_overlap: float = setting(1.0 / 60.0, "Added to half the height of a ring.", unit="deg", ge=0, le=180)


class DodecahedronSettings(SkyMapSettings):
    """The twelve faces of a dodecahedron."""

    tracts_on_poles: bool = setting(False, "Whether a face is centered on each pole, else a corner is there.")
    patch_border: int = setting(
        250, "Border that patches share with their neighbors.", unit="pixel", ge=0, le=_MOST_PIXELS
    )
    tract_overlap: float = setting(3.5, "Overlap of neighboring tracts.", unit="deg", ge=0, le=180)
    pixel_scale: float = setting(0.2, "Pixel scale at the center of a tract.", unit="arcsec", gt=0, le=_LARGEST_SCALE)
    projection: Literal["TAN", "STG", "ZEA", "CEA"] = setting("STG", "FITS code of the projection of tracts.")


class EquatorialSettings(SkyMapSettings):
    """Equal tracts around the equator."""

    n_tract: int = setting(4, "Number of tracts around the equator.", ge=1, le=10000)
    dec_min: float = setting(-1.25, "Lowest declination.", unit="deg", ge=-90, le=90)
    dec_max: float = setting(1.25, "Highest declination.", unit="deg", ge=-90, le=90)
    projection: Literal["TAN", "STG", "ZEA", "CEA"] = setting("CEA", "FITS code of the projection of tracts.")

    @model_validator(mode="after")
    def _check_range(self) -> "EquatorialSettings":
        if self.dec_min >= self.dec_max:
            raise ValueError(f"dec_min must be below dec_max, got {self.dec_min} and {self.dec_max}")
        if self.projection == "TAN" and self.n_tract <= 2:
            raise ValueError("the projection TAN needs at least 3 tracts around the equator")
        return self


class HealpixSettings(SkyMapSettings):
    """The pixels of a HEALPix map."""

    log2_nside: int = setting(0, "Base-2 logarithm of nside.", ge=0, le=12)
    nest: bool = setting(False, "Whether tracts are numbered in the NESTED order, else in RING order.")
