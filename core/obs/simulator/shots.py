"""What is observed: a list of exposures, their times and pointings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import numpy as np

from obs.camera.detector import Detector
from obs.errors import DataIdError
from obs.frozen import frozen
from obs.image.visit_info import VisitInfo
from obs.instrument.instrument import Instrument
from obs.simulator.seeds import generator

__all__ = ["IMAGE_TYPES", "READOUT", "ImageType", "Shot", "plan_shots"]

ImageType = Literal["bias", "dark", "flat", "science"]
IMAGE_TYPES: tuple[ImageType, ...] = get_args(ImageType)

#: Time between exposures, s.
READOUT = 20.0

_GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))


@frozen
class Shot:
    """One exposure of all detectors.

    Parameters
    ----------
    visit : int
        Its number.
    image_type : {"bias", "dark", "flat", "science"}
        What it is.
    physical_filter : str
        The filter, also in frames that see no light.
    date_begin : datetime
        When the shutter opens, UTC.
    exposure_time : float
        Seconds.
    ra, dec : float
        Where the header says that the telescope points, degrees.
    rotation : float
        Angle of the rotator, degrees.
    airmass : float
        Airmass.
    target : str
        Name of the field.
    """

    visit: int
    image_type: ImageType
    physical_filter: str
    date_begin: datetime
    exposure_time: float
    ra: float
    dec: float
    rotation: float = 0.0
    airmass: float = 1.0
    target: str = "SIMULATED"

    @property
    def visit_info(self) -> VisitInfo:
        """The exposure as headers tell it; the airmass is that of its middle."""
        end = self.date_begin + timedelta(seconds=self.exposure_time)
        dates = (self.date_begin, self.date_begin + (end - self.date_begin) / 2, end)
        begin, middle, finish = (date.isoformat(timespec="milliseconds") for date in dates)
        return VisitInfo(
            exposure_id=self.visit,
            exposure_time=self.exposure_time,
            dark_time=self.exposure_time,
            date_begin=begin,
            date_avg=middle,
            date_end=finish,
            time_scale="UTC",
            boresight_ra=self.ra,
            boresight_dec=self.dec,
            boresight_altitude=float(np.degrees(np.arcsin(1.0 / self.airmass))),
            airmass=self.airmass,
            rotation_angle=self.rotation,
            rotation_type="SKY",
        )

    def data_id(self, instrument: Instrument, detector: Detector) -> dict[str, Any]:
        """Return the data ID of a detector's frame: what a header has to say, beside the circumstances.

        Parameters
        ----------
        instrument : Instrument
            The camera; it decides the keys that name a detector.
        detector : Detector
            Detector of the frame.
        """
        date = self.date_begin.date().isoformat()
        return {
            "visit": self.visit,
            "filter": self.physical_filter,
            "field": self.target,
            "dateObs": date,
            "taiObs": date,
            "expTime": self.exposure_time,
            **instrument.detector_keys(detector),
        }


def plan_shots(
    *,
    image_type: ImageType,
    count: int,
    first_visit: int,
    date_begin: datetime,
    exposure_time: float,
    physical_filters: Sequence[str],
    ra: float,
    dec: float,
    dither: float = 0.0,
    rotation: float = 0.0,
    airmass: float = 1.0,
    seed: int,
) -> list[Shot]:
    """Return a series of exposures of one kind, for each filter in turn.

    Parameters
    ----------
    image_type : {"bias", "dark", "flat", "science"}
        What they are; bias frames are not exposed whatever `exposure_time` says.
    count : int
        Number of exposures a filter.
    first_visit : int
        Number of the first; the others follow.
    date_begin : datetime
        When the first begins, UTC.
    exposure_time : float
        Seconds.
    physical_filters : sequence of str
        The filters.
    ra, dec : float
        Field center, degrees.
    dither : float
        Radius in which science frames are offset from each other, arcsec.
    rotation : float
        Angle of the rotator, degrees.
    airmass : float
        Airmass of the first science frame; it changes a little over the night.
    seed : int
        Seed of the simulation.

    Raises
    ------
    DataIdError
        If the declination or the airmass is none, or frames that want light are not exposed.
    """
    if not -90.0 <= dec <= 90.0:
        raise DataIdError(f"a declination is from -90 to 90 degrees, got {dec}", key="dec")
    if not airmass >= 1.0:
        raise DataIdError(f"an airmass is at least 1, got {airmass}", key="airmass")
    if image_type in ("flat", "science") and not exposure_time > 0.0:
        raise DataIdError(f"a {image_type} frame has to be exposed; give a time above 0 s", key="expTime")
    seconds = 0.0 if image_type == "bias" else exposure_time
    start = generator(seed, "dither").uniform(0.0, 2.0 * np.pi)
    shots = []
    for number in range(count * len(physical_filters)):
        step, angle = number % count, start + number * _GOLDEN_ANGLE
        offset = dither / 3600.0 * np.sqrt(step / max(count - 1, 1)) if image_type == "science" else 0.0
        north = float(np.clip(dec + offset * np.sin(angle), -90.0, 90.0))
        east = offset * np.cos(angle) / max(np.cos(np.radians(north)), 1e-6)
        shots.append(
            Shot(
                visit=first_visit + number,
                image_type=image_type,
                physical_filter=physical_filters[number // count],
                date_begin=date_begin + number * timedelta(seconds=seconds + READOUT),
                exposure_time=seconds,
                ra=round(float((ra + east) % 360.0), 7) % 360.0,
                dec=round(north, 7),
                rotation=rotation,
                airmass=round(airmass + 0.01 * number, 4) if image_type == "science" else 1.0,
                target="SIMULATED" if image_type == "science" else image_type.upper(),
            )
        )
    return shots
