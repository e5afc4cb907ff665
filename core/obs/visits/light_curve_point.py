"""The object and its comparison stars on one image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.image.catalog import Catalog
from obs.image.visit_info import VisitInfo
from obs.policy.data_id import format_data_id
from obs.visits.calibration import FrameCalibration
from obs.visits.forced import ForcedFrame

__all__ = ["FLAGS", "UNUSABLE", "Point"]

Floats = NDArray[np.float64]

#: Flags of the object that are kept, in the order of their letters.
FLAGS = {"saturatedCenter": "S", "crCenter": "C", "interpolatedCenter": "I", "streakCenter": "T", "bad": "B",
          "edge": "E"}  # fmt: skip
#: Letters of the flags with which a magnitude is not to be used: saturated, bad pixel, flux not to be trusted.
UNUSABLE = frozenset("SBP")


@dataclass
class Point:
    """The object, in the first row, and the comparison stars on one image; its pixels are not kept.

    ``neighbors`` are fluxes and errors of the stars beside the object.

    Parameters
    ----------
    data_id : dict
        Data ID of the image.
    physical_filter : str
        Filter of the image.
    catalog : Catalog
        Forced measurements; the object is in the first row.
    calibration : FrameCalibration
        WCS and zero point of the image.
    seeing : float
        Full width at half maximum, arcsec; NaN if it is not known.
    visit_info : VisitInfo or None
        Circumstances of the exposure.
    neighbors : tuple of ndarray of float64, shape (m,)
        Fluxes of the stars beside the object, and their errors.
    """

    data_id: dict[str, Any]
    physical_filter: str
    catalog: Catalog
    calibration: FrameCalibration
    seeing: float
    visit_info: VisitInfo | None
    neighbors: tuple[Floats, Floats]

    @classmethod
    def of(cls, data_id: dict[str, Any], frame: ForcedFrame) -> "Point":
        """Return what is kept of a measured image.

        Parameters
        ----------
        data_id : dict
            Data ID of the image.
        frame : ForcedFrame
            Forced measurements of the image. Its seeing is NaN if the metadata has no ``SEEING``.
        """
        exposure = frame.exposure
        seeing = float(exposure.metadata.get("SEEING", np.nan) or np.nan)
        light = frame.neighbor_flux, frame.neighbor_error
        name = exposure.physical_filter
        return cls(data_id, name, frame.catalog, frame.calibration, seeing, exposure.visit_info, light)

    @property
    def name(self) -> str:
        """Data ID of the image."""
        return format_data_id(self.data_id)

    def value(self, column: str) -> float:
        """Return a value of the object.

        Parameters
        ----------
        column : str
            Column of the forced catalog, whose first row is the object.
        """
        return float(self.catalog[column][0])

    def value_of(self, star: int, column: str) -> float:
        """Return a value of a star; NaN if it is not on the image or 0, which is the object.

        Parameters
        ----------
        star : int
            ``objectId`` of the star.
        column : str
            Column of the forced catalog.
        """
        rows = np.flatnonzero(self.catalog["objectId"] == star)
        return float(self.catalog[column][rows[0]]) if star > 0 and len(rows) else np.nan
