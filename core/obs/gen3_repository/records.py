"""Dimension records of a third-generation repository: what it knows of a camera, its exposures and visits."""

import math
import re
from collections.abc import Iterable
from typing import Any

from astropy.time import Time, TimeDelta
from lsst.daf.butler import Timespan
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

from obs.frozen import frozen
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.instrument.instrument import Instrument

__all__ = ["ExposureFacts", "exposure_records", "instrument_records", "polygon", "region", "visit_records"]

#: The way in which exposures are grouped to visits: each is a visit of its own.
_ONE_TO_ONE = 0
_LARGEST = 2**62
#: Seconds that an exposure without duration lasts, since no time span is empty.
_INSTANT = 1e-3
#: What the record of a visit has from that of its exposure.
_SHARED = ("instrument", "id", "day_obs", "physical_filter", "exposure_time", "target_name", "azimuth", "zenith_angle")
#: Longest text that the library's tables take.
_TEXT, _TYPE = 64, 16


@frozen
class ExposureFacts:
    """What is known of an exposure.

    Attributes
    ----------
    id : int
        Its number.
    physical_filter : str
        Its filter.
    info : VisitInfo
        Circumstances from the header.
    kind : str
        ``science``, ``bias``, ``dark``, ``flat``, or what the header says.
    target : str
        Name of the field; may be empty.
    date : str
        Day of the exposure in our registry, as 2020-09-04; may be empty.
    """

    id: int
    physical_filter: str
    info: VisitInfo
    kind: str
    target: str
    date: str = ""

    @property
    def timespan(self) -> Timespan | None:
        """From the begin to the end of the exposure; None where the header does not give."""
        if not self.info.date_begin:
            return None
        begin = Time(self.info.date_begin, scale=self.info.time_scale.lower()).tai
        end = Time(self.info.date_end, scale=self.info.time_scale.lower()).tai if self.info.date_end else begin
        return Timespan(begin, max(end, begin + TimeDelta(_INSTANT, format="sec")))

    @property
    def day(self) -> int | None:
        """UTC day of the begin, as YYYYMMDD; the registry's where the header tells no time. None if both do not."""
        if not self.info.date_begin:
            found = re.match(r"(\d{4})-(\d\d)-(\d\d)", self.date)
            return int("".join(found.groups())) if found else None
        moment = Time(self.info.date_begin, scale=self.info.time_scale.lower()).utc
        return int(re.sub(r"\D", "", moment.isot[:10]))


def instrument_records(instrument: Instrument, class_name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a camera, by element.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    class_name : str
        Full name of its class for the stack.
    """
    name = instrument.name
    detectors = instrument.load_camera().detectors
    return {
        "instrument": [
            {
                "name": name,
                "class_name": class_name,
                "detector_max": max(detector.id for detector in detectors) + 1,
                "visit_max": _LARGEST,
                "exposure_max": _LARGEST,
                "visit_system": _ONE_TO_ONE,
            }
        ],
        "visit_system": [{"instrument": name, "id": _ONE_TO_ONE, "name": "one-to-one"}],
        "detector": [
            {"instrument": name, "id": detector.id, "full_name": detector.name, "purpose": detector.type.upper()}
            for detector in detectors
        ],
        "physical_filter": [
            {"instrument": name, "name": known.physical_filter, "band": known.band} for known in instrument.filters
        ],
    }


def exposure_records(instrument: str, facts: ExposureFacts) -> dict[str, list[dict[str, Any]]]:
    """Return the records of an exposure, by element.

    Parameters
    ----------
    instrument : str
        Name of the camera.
    facts : ExposureFacts
        Facts of the exposure.
    """
    info = facts.info
    group = str(facts.id)
    return {
        "day_obs": [{"instrument": instrument, "id": facts.day}],
        "group": [{"instrument": instrument, "name": group}],
        "exposure": [
            {
                "instrument": instrument,
                "id": facts.id,
                "day_obs": facts.day,
                "group": group,
                "physical_filter": facts.physical_filter,
                "obs_id": f"{instrument}-{facts.id}",
                "exposure_time": _number(info.exposure_time),
                "dark_time": _number(info.dark_time),
                "observation_type": facts.kind[:_TYPE],
                "target_name": facts.target[:_TEXT] or None,
                "tracking_ra": _number(info.boresight_ra),
                "tracking_dec": _number(info.boresight_dec),
                "sky_angle": _number(info.rotation_angle),
                "azimuth": _number(info.boresight_azimuth),
                "zenith_angle": _number(90.0 - info.boresight_altitude),
                "can_see_sky": facts.kind == "science",
                "timespan": facts.timespan,
            }
        ],
    }


def visit_records(
    instrument: str, facts: ExposureFacts, regions: dict[int, ConvexPolygon]
) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a visit of one exposure, by element; ``regions`` are those of its detectors, by number.

    Parameters
    ----------
    instrument : str
        Name of the camera.
    facts : ExposureFacts
        Facts of the exposure.
    regions : dict of int to ConvexPolygon
        Number of a detector to its region of the sky.
    """
    corners = [point for part in regions.values() for point in part.getVertices()]
    everything = ConvexPolygon.convexHull(corners) if corners else None
    exposure = exposure_records(instrument, facts)["exposure"][0]
    shared = {name: exposure[name] for name in _SHARED}
    here = {"instrument": instrument, "visit": facts.id}
    return {
        "visit": [{**shared, "name": exposure["obs_id"], "region": everything, "timespan": facts.timespan}],
        "visit_definition": [{**here, "exposure": facts.id}],
        "visit_system_membership": [{**here, "visit_system": _ONE_TO_ONE}],
        "visit_detector_region": [
            {**here, "detector": detector, "region": part} for detector, part in sorted(regions.items())
        ],
    }


def region(wcs: TanSipWcs, shape: tuple[int, int]) -> ConvexPolygon:
    """Return the part of the sky that an image covers.

    Parameters
    ----------
    wcs : TanSipWcs
        Its WCS.
    shape : tuple of int
        Rows and columns.
    """
    rows, columns = shape
    x = [-0.5, columns - 0.5, columns - 0.5, -0.5]
    y = [-0.5, -0.5, rows - 0.5, rows - 0.5]
    return polygon(zip(*wcs.pixel_to_sky(x=x, y=y), strict=True))


def polygon(corners: Iterable[tuple[float, float]]) -> ConvexPolygon:
    """Return the part of the sky between some corners, right ascension and declination in degrees.

    Parameters
    ----------
    corners : iterable of tuple of float
        Right ascensions and declinations, degrees.

    Returns
    -------
    ConvexPolygon
        Convex hull of the corners.
    """
    return ConvexPolygon.convexHull([UnitVector3d(LonLat.fromDegrees(float(ra), float(dec))) for ra, dec in corners])


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
