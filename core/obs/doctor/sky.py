"""Pixel scale against the header's WCS, and the direction of the telescope against pointing, place and time."""

import math
import warnings
from collections.abc import Iterator

from obs.doctor.check import Check, Verdict
from obs.doctor.exposure import RawExposure
from obs.doctor.places import camera_place, detector_place, translator_place
from obs.errors import FileFormatError
from obs.instrument.card_values import parse_date
from obs.scaffold.sky_scale import find_pixel_size, find_sky_scale

__all__ = ["check_sky"]

_SCALE_TOLERANCE = 0.03
_APART = 1.0
"""Degrees by which a telescope's direction may be off what follows from its pointing."""


def check_sky(exposure: RawExposure) -> Iterator[Check]:
    """Yield a check for the scale, and one for the direction."""
    yield from _check_scale(exposure)
    yield from _check_direction(exposure)


def _check_scale(exposure: RawExposure) -> Iterator[Check]:
    detector = exposure.detector
    if detector is None:
        return
    camera = exposure.instrument.load_camera()
    ours = camera.plate_scale * detector.pixel_size_x
    value = f"{ours:.4g} arcsec a pixel"
    found = find_sky_scale(exposure.cards).scale
    if not found.is_known:
        yield Check("sky", "pixel scale", value, "camera.yaml", "not known", found.note or "no WCS to compare it with")
        return
    told = float(found.value)
    if abs(ours / told - 1.0) <= _SCALE_TOLERANCE:
        yield Check("sky", "pixel scale", f"{value}; header {told:.4g}", found.source)
        return
    note = f"{found.source} says {told:.4g} arcsec"
    size = find_pixel_size(exposure.cards)
    binning = exposure.facts.binning.value if exposure.facts is not None and exposure.facts.binning.is_known else (1, 1)
    pixel = float(size.value) * binning[0] if size.is_known else detector.pixel_size_x
    if abs(detector.pixel_size_x / pixel - 1.0) > _SCALE_TOLERANCE:
        place = detector_place(exposure.instrument, detector, "pixel_size_x, pixel_size_y")
        how = f"{pixel:g} mm ({size.source}) in place of {detector.pixel_size_x:g}"
    else:
        place = camera_place(exposure.instrument, "plate_scale")
        how = f"{told / pixel:.6g} arcsec/mm in place of {camera.plate_scale:g}"
    verdict: Verdict = "doubtful" if found.confidence == "guess" else "wrong"
    yield Check("sky", "pixel scale", value, found.source, verdict, note, f"{place}: {how}")


def _check_direction(exposure: RawExposure) -> Iterator[Check]:
    names = ("boresight_ra", "boresight_dec", "longitude", "latitude", "date_begin")
    ra, dec, longitude, latitude = (exposure.number(name) for name in names[:-1])
    altitude, azimuth = exposure.number("boresight_altitude"), exposure.number("boresight_azimuth")
    begin, scale = str(exposure.value("date_begin")), str(exposure.value("time_scale") or "UTC")
    if exposure.image_type not in ("science", "") or not math.isfinite(altitude):
        return
    if "SIMSEED" in exposure.header:
        yield Check("sky", "altitude, azimuth", f"{altitude:.2f} deg", "", "not known", "the frame is simulated")
        return
    if lacking := [name for name in names if not _is_usable(exposure, name)]:
        note = f"{', '.join(lacking)} would have to be known"
        yield Check("sky", "altitude, azimuth", f"{altitude:.2f} deg", "", "not known", note)
        return

    def apart(ra: float = ra, dec: float = dec, longitude: float = longitude, azimuth: float = azimuth) -> float:
        up, round_ = _direction(ra, dec, longitude, latitude, begin, scale)
        return _separation(up, round_, altitude, azimuth if math.isfinite(azimuth) else round_)

    value = f"{altitude:.2f}, {azimuth:.2f} deg"
    distance = apart()
    if distance <= _APART:
        yield Check("sky", "altitude, azimuth", value, "boresight, place, date")
        return
    up, round_ = _direction(ra, dec, longitude, latitude, begin, scale)
    note = f"pointing, place and date put it at {up:.2f}, {round_:.2f} deg"
    trials = [
        (apart(ra=ra * 15.0 % 360.0), "boresight_ra", "the unit: it fits if the card is in hours"),
        (apart(ra=ra / 15.0), "boresight_ra", "the unit: it fits if the card is in degrees"),
        (apart(longitude=-longitude), "longitude", "the sign: it fits if the card counts west as positive"),
        (apart(azimuth=azimuth + 180.0), "boresight_azimuth", "it fits if the card counts from south through west"),
        (apart(azimuth=180.0 - azimuth), "boresight_azimuth", "it fits if the card counts from south through east"),
    ]
    off, name, how = min(trials)
    if off > _APART:
        name, how = "boresight_ra", "look at ra, dec, longitude, latitude, altitude, azimuth and the date: one is wrong"
    remedy = f"{translator_place(exposure.translator, name)}: {how}"
    yield Check("sky", "altitude, azimuth", value, "boresight, place, date", "wrong", note, remedy)


def _is_usable(exposure: RawExposure, name: str) -> bool:
    """Return whether a direction can be reckoned with a value: whether it is known, and can be."""
    if name == "date_begin":
        try:
            return parse_date(str(exposure.value(name))).year > 1900
        except FileFormatError:
            return False
    limit = 90.0 if name in ("boresight_dec", "latitude") else 360.0
    return abs(exposure.number(name)) <= limit


def _direction(ra: float, dec: float, longitude: float, latitude: float, begin: str, scale: str) -> tuple[float, float]:
    """Return altitude and azimuth, degrees, of a place in the sky, without refraction."""
    from astropy import units  # noqa: PLC0415 - slow to import
    from astropy.coordinates import AltAz, EarthLocation, SkyCoord  # noqa: PLC0415 - slow to import
    from astropy.time import Time  # noqa: PLC0415 - slow to import
    from astropy.utils import iers  # noqa: PLC0415 - slow to import

    with warnings.catch_warnings(), iers.conf.set_temp("auto_download", False):
        # What the tables of the Earth's rotation lack is less than a second.
        warnings.simplefilter("ignore")
        with iers.conf.set_temp("iers_degraded_accuracy", "ignore"), iers.conf.set_temp("auto_max_age", None):
            place = EarthLocation.from_geodetic(longitude * units.deg, latitude * units.deg)
            time = Time(begin, scale=scale.lower() if scale.lower() in ("utc", "tai", "tt") else "utc")
            sky = SkyCoord(ra * units.deg, dec * units.deg).transform_to(AltAz(obstime=time, location=place))
    return float(sky.alt.deg), float(sky.az.deg)


def _separation(altitude: float, azimuth: float, other_altitude: float, other_azimuth: float) -> float:
    """Return the angle between two directions, degrees."""
    up, other = math.radians(altitude), math.radians(other_altitude)
    cosine = math.sin(up) * math.sin(other)
    cosine += math.cos(up) * math.cos(other) * math.cos(math.radians(azimuth - other_azimuth))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
