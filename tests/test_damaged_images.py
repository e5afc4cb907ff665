"""`obs process-file` on images whose pixels are damaged, or of a few stamps."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from scipy.spatial import cKDTree

from obs.algorithms.psf.width import half_maximum_width
from obs.single_image import process_file
from obs.tasks.process_config import ProcessFileConfig
from star_field import Moffat, pixel_psf, star_field

CARDS = {"GAIN": 2.0, "RDNOISE": 5.0}
CONFIG = ProcessFileConfig(characterize={"psf_iterations": 1, "background": {"bin_size": 100, "order": 2}})


@pytest.fixture(scope="module")
def field():
    return star_field(30, (300, 320), fluxes=(1e4, 2e5), profile=Moffat(3.2), gain=2.0, read_noise=5.0)


def process(folder, pixels):
    fits.writeto(folder / "field.fits", pixels, fits.Header(CARDS))
    return process_file(folder / "field.fits", folder / "out", CONFIG), folder / "out" / "field" / "src.fits"


def test_a_color_mosaic_is_named(tmp_path, field):
    pixels = field.exposure.masked_image.image + np.float32(500.0)
    pixels[::2, ::2] *= 0.5
    summary, _ = process(tmp_path, pixels)
    assert any("color (Bayer) mosaic" in warning for warning in summary.warnings)


def test_single_pixels_without_a_value_leave_the_catalog_as_it_is(tmp_path, field):
    pixels = field.exposure.masked_image.image.copy()
    pixels[np.random.default_rng(1).random(pixels.shape) < 0.003] = np.nan
    summary, catalog = process(tmp_path, pixels)
    assert summary.n_psf_star >= 8
    table = Table.read(catalog, hdu=1)
    place = np.c_[[np.asarray(table[f"base_SdssCentroid_{axis}"]) for axis in "xy"]].T
    distance, rows = cKDTree(place).query(np.c_[field.x, field.y])
    assert (distance < 0.5).all()
    assert np.mean(table["base_PixelFlags_flag_edge"][rows]) < 0.3


def test_a_cutout_of_a_few_stamps_has_the_psf_of_its_stars(tmp_path, field):
    place = np.c_[field.x, field.y]
    star = next(n for n, at in enumerate(place) if (np.abs(place - at).max(1) < 35).sum() == 1 and at.min() > 20)
    column, row = (round(c) for c in place[star].tolist())
    cutout = field.exposure.masked_image.image[row - 16 : row + 21, column - 15 : column + 24]
    summary, _ = process(tmp_path, cutout)
    assert summary.psf_origin == "few stars"
    assert summary.fwhm == pytest.approx(half_maximum_width(pixel_psf(Moffat(3.2)), x=0, y=0), rel=0.05)


def test_an_image_without_sources_has_an_empty_catalog(tmp_path):
    sky = np.random.default_rng(1).normal(300.0, 12.0, (120, 130)).astype(np.float32)
    summary, catalog = process(tmp_path, sky)
    assert summary.n_source == 0
    assert len(Table.read(catalog, hdu=1)) == 0
    assert any("no source stands out" in warning for warning in summary.warnings)
