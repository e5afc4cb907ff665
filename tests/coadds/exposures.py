"""Calibrated exposures of one field: dithered, turned, of different seeing, sky and zero point, with known stars."""

from pathlib import Path

import numpy as np
import pytest

import obs
from obs.image.wcs import TanSipWcs

SHAPE = (240, 260)
SCALE = 0.5  # arcsec
CENTER = (150.0, 2.0)
FWHM = (2.6, 3.4, 3.0, 4.0)
ZERO_POINTS = (26.0, 25.7, 26.3, 26.1)
SKY_SIGMA = (3.0, 2.5, 5.0, 3.5)
ANGLES = (0.0, 3.0, 90.0, -40.0)
N_STAR = 36


def star_field():
    """Right ascension, declination, degrees, and magnitude of the stars."""
    rng = np.random.default_rng(5)
    place = rng.uniform(-50, 50, (2, N_STAR)) / 3600
    ra = CENTER[0] + place[0] / np.cos(np.deg2rad(CENTER[1]))
    return ra, CENTER[1] + place[1], np.linspace(17.0, 22.0, N_STAR)


def gaussian_psf(fwhm):
    """A PSF that is the same everywhere."""
    offset = np.arange(-12, 13)
    profile = np.exp(-0.5 * (offset / (fwhm / 2.3548)) ** 2)
    stamp = np.outer(profile, profile)
    return obs.PixelPsf((stamp / stamp.sum())[None].astype(np.float32), 0, fwhm=fwhm, interpolation="star")


def make_exposure(index, *, background=0.0, trail=False):
    """One of four exposures; with a faint trail of light across if asked for."""
    rng = np.random.default_rng(100 + index)
    angle = np.deg2rad(ANGLES[index])
    turn = np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (SHAPE[1] / 2 + 6.3 * index, SHAPE[0] / 2 - 4.7 * index)
    wcs = TanSipWcs(CENTER, middle, turn * SCALE / 3600)
    psf, calib = gaussian_psf(FWHM[index]), obs.PhotoCalib.from_zero_point(ZERO_POINTS[index], 0.001)
    image = np.zeros(SHAPE)
    ra, dec, magnitude = star_field()
    x, y = wcs.sky_to_pixel(ra=ra, dec=dec)
    flux = 10 ** (-0.4 * (magnitude - ZERO_POINTS[index]))
    for stamp, left, low, light in zip(
        psf.render(x=x, y=y), np.rint(x).astype(int) - 12, np.rint(y).astype(int) - 12, flux, strict=True
    ):
        box = np.s_[max(low, 0) : max(low + 25, 0), max(left, 0) : max(left + 25, 0)]
        part = stamp[max(-low, 0) :, max(-left, 0) :]
        seen = image[box]
        seen += light * part[: seen.shape[0], : seen.shape[1]]
    variance = SKY_SIGMA[index] ** 2 + image / 5
    image += background + rng.normal(size=SHAPE) * np.sqrt(variance)
    if trail:
        rows, columns = np.indices(SHAPE)
        image += 8 * SKY_SIGMA[index] * np.exp(-0.5 * ((rows - 0.4 * columns - 60) / 1.5) ** 2)
    mask = obs.Mask.zeros(SHAPE)
    mask.set(variance > 1.3 * SKY_SIGMA[index] ** 2, "DETECTED")
    pixels = obs.MaskedImage(image.astype(np.float32), mask, variance.astype(np.float32))
    levels = {"GAIN": 5.0, "SATURATE": 4e4}
    return obs.Exposure(pixels, wcs=wcs, psf=psf, photo_calib=calib, physical_filter="R", metadata=levels)


def data_id(index):
    """Data ID of one of the exposures."""
    return {"dateObs": "2024-03-01", "dataType": "OBJECT", "visit": 11 + index, "filter": "R", "ccd": 0}


def make_repository(folder: Path, exposures):
    """An output repository with calibrated exposures and a sky map of one patch around them."""
    obs.make_repository(folder / "DATA", obs.load_instrument("necam"))
    butler = obs.Butler(folder / "DATA", output=folder / "out")
    for index, exposure in enumerate(exposures):
        butler.put(exposure, "calexp", data_id(index))
        facts = {"seeing": FWHM[index] * SCALE, "psf_size_residual": 0.001}
        butler.put(facts, "processCcd_metadata", data_id(index))
    return folder / "out"


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Four exposures, one of them with a trail, in an output repository with a sky map."""
    folder = tmp_path_factory.mktemp("coadds")
    exposures = [make_exposure(index, background=0.4 * index, trail=index == 1) for index in range(4)]
    return make_repository(folder, exposures)
