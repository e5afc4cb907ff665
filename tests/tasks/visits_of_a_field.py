"""Star lists of several visits of one field with known truth, as `obs calibrate-visits` reads them from catalogs."""

from dataclasses import dataclass, replace

import numpy as np

from obs.camera.detector import Detector
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.image.tangent_plane import from_plane, to_plane
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip
from obs.tasks.relative.frames import FrameStars

SHAPE = (1000, 800)
SCALE = 0.5  # arcsec
PIXEL = 0.01  # mm
POSITION_NOISE, MAGNITUDE_NOISE = 0.004, 0.004  # pixels, mag
DETECTORS = (-450.0, 450.0)  # offsets of the detectors along x, pixels


@dataclass
class Field:
    """The truth, and the frames."""

    frames: list[FrameStars]
    zero_points: dict[str, float]
    ra: np.ndarray
    dec: np.ndarray
    magnitude: np.ndarray
    true_sky: list[tuple[np.ndarray, np.ndarray]]
    variable: np.ndarray
    reference: Catalog
    motion: np.ndarray

    def flat(self, frame, x, y):
        return flat_error(*frame.detector.pixel_to_focal_plane(x=x, y=y))


def flat_error(u, v):
    """Return the error of the flat field, mag: some 1 %."""
    return 0.012 * np.cos(0.35 * u + 0.2) + 0.008 * np.sin(0.4 * v)


def make_detectors():
    """Return two detectors side by side."""
    return [
        Detector(
            id=number, name=f"D{number}", bbox=Box(0, 0, SHAPE[1], SHAPE[0]), raw_shape=SHAPE, amplifiers=(),
            reference_x=400.0, reference_y=500.0, offset_x=offset * PIXEL, pixel_size_x=PIXEL, pixel_size_y=PIXEL,
        )
        for number, offset in enumerate(DETECTORS)
    ]  # fmt: skip


def make_field(*, ra=150.0, dec=2.0, n_visit=6, n_star=400, seed=1, years=0.0, motion=0.0, single_error=0.01):
    """Return visits of a field; WCS and zero point of single frames are off by ``single_error`` (arcsec, mag)."""
    random = np.random.default_rng(seed)
    center = (ra, dec)
    plane = random.uniform(-0.14, 0.14, (2, n_star))
    magnitude = random.uniform(15.0, 19.0, n_star)
    pm = random.normal(0.0, motion, (2, n_star))  # mas/yr
    variable = np.zeros(n_star, bool)
    variable[::25] = True
    frames, truth, zero_points = [], [], {}
    for visit in range(n_visit):
        shift = random.uniform(-0.015, 0.015, 2)
        zero_points[f"visit={visit}"] = 27.0 + random.uniform(-0.3, 0.0)
        mjd = 57388.0 + 365.25 * years * visit / max(n_visit - 1, 1)
        now = plane + pm * (mjd - 57388.0) / 365.25 / 3.6e6
        change = np.where(variable, random.normal(0.0, 0.1, n_star), 0.0)
        for detector in make_detectors():
            # the true map: a lens, and a detector that is 0.2 pixels from where the camera says, and turned
            place = _true_place(detector)
            u, v = (now - shift[:, None]) * 3600.0 / SCALE
            radius = (u**2 + v**2) / 1e6
            x, y = place(u * (1.0 + 2e-3 * radius), v * (1.0 + 2e-3 * radius))
            inside = (x > 0) & (x < SHAPE[1] - 1) & (y > 0) & (y < SHAPE[0] - 1)
            x, y = x[inside], y[inside]
            ra_true, dec_true = from_plane(center, *now[:, inside])
            true = fit_tan_sip(x=x, y=y, ra=ra_true, dec=dec_true, order=4, crpix=(399.5, 499.5))
            off = random.normal(0.0, single_error / 3600.0, 2)
            wcs = TanSipWcs((true.crval[0] + off[0] / max(np.cos(np.radians(dec)), 1e-3), true.crval[1] + off[1]),
                            true.crpix, true.cd, true.a, true.b, true.ap, true.bp)  # fmt: skip
            focal = detector.pixel_to_focal_plane(x=x, y=y)
            brightness = magnitude[inside] + change[inside]
            instrumental = brightness - zero_points[f"visit={visit}"] - flat_error(*focal)
            noise = random.normal(0.0, MAGNITUDE_NOISE, len(x))
            flux = 10.0 ** (-0.4 * (instrumental + noise))
            zero = PhotoCalib.from_zero_point(zero_points[f"visit={visit}"] + random.normal(0.0, single_error))
            frames.append(
                FrameStars(
                    name=f"visit={visit} ccd={detector.id}", visit=f"visit={visit}", detector=detector, shape=SHAPE,
                    wcs=wcs, photo_calib=zero, mjd=mjd,
                    x=x + random.normal(0.0, POSITION_NOISE, len(x)), y=y + random.normal(0.0, POSITION_NOISE, len(x)),
                    error=np.full(len(x), POSITION_NOISE), flux=flux, flux_err=flux * MAGNITUDE_NOISE / 1.0857,
                )
            )  # fmt: skip
            truth.append((ra_true, dec_true))
    ra_all, dec_all = from_plane(center, *plane)
    known = np.arange(0, n_star, 3)
    reference = Catalog()
    reference.add("coord_ra", ra_all[known], "deg")
    reference.add("coord_dec", dec_all[known], "deg")
    for name, rates in zip(("pm_ra", "pm_dec"), pm, strict=True):
        reference.add(name, np.radians(rates[known] / 3.6e6), "rad/year")
    reference.add("epoch", np.full(len(known), 57388.0), "d")
    reference.add("magnitude", magnitude[known] + random.normal(0.0, 0.003, len(known)))
    return Field(frames, zero_points, ra_all, dec_all, magnitude, truth, variable, reference, pm)


def _true_place(detector):
    turn, shift = np.radians(0.01 * (1 - 2 * detector.id)), 0.2 * (1 - 2 * detector.id)
    left = detector.offset_x / PIXEL

    def place(u, v):
        across, up = u - left, v
        x = np.cos(turn) * across + np.sin(turn) * up + detector.reference_x + shift
        return x, np.cos(turn) * up - np.sin(turn) * across + detector.reference_y

    return place


def position_errors(field, wcs_of_frames):
    """Return the errors of single positions, mas, shape (n, 2)."""
    errors = []
    for frame, wcs, sky in zip(field.frames, wcs_of_frames, field.true_sky, strict=True):
        ra, dec = wcs.pixel_to_sky(x=frame.x, y=frame.y)
        center = float(sky[0][0]), float(sky[1][0])
        errors.append(3.6e6 * (np.stack(to_plane(center, ra, dec), 1) - np.stack(to_plane(center, *sky), 1)))
    return np.concatenate(errors)


def without_zero_points(field):
    """Return the frames without zero points."""
    return [replace(frame, photo_calib=None) for frame in field.frames]
