"""The pattern of a frame whose brightest stars are saturated."""

import numpy as np
import pytest

from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.wcs import TanSipWcs
from obs.tasks.astrometry import solve_astrometry
from obs.tasks.astrometry_config import AstrometryConfig
from obs.tasks.reference import ReferenceConfig

SIZE, PIXEL = 1000, 30.0 / 3600.0
WCS = TanSipWcs(crval=(52.0, 50.0), crpix=(500.0, 500.0), cd=np.array([[PIXEL, 0.0], [0.0, PIXEL]]))
FLAGS = ("edge", "saturated", "interpolatedCenter", "crCenter", "bad")


def make_stars(n_saturated):
    """Return a catalog of a frame, and the reference catalog, which ends a little below the saturated stars."""
    random = np.random.default_rng(11)
    n = n_saturated + 700
    x, y = random.uniform(-1500.0, 2500.0, (2, 6 * n))
    on_frame = np.flatnonzero((x > 5) & (x < SIZE - 5) & (y > 5) & (y < SIZE - 5))
    magnitude = np.sort(random.uniform(4.0, 10.0, 6 * n))[random.permutation(6 * n)]
    ra, dec = WCS.pixel_to_sky(x=x, y=y)
    reference = Catalog()
    reference.add("coord_ra", ra, "deg")
    reference.add("coord_dec", dec, "deg")
    reference.add("V_flux", 10 ** (0.4 * (31.4 - magnitude)), "nJy")
    frame = on_frame[np.argsort(magnitude[on_frame])]
    saturated = np.arange(len(frame)) < n_saturated
    flux = 10 ** (0.4 * (22.0 - magnitude[frame])) * random.lognormal(0.0, 0.1, len(frame))
    flux = np.where(saturated, 0.3 * flux, flux)  # the tops are cut off
    scatter = np.where(saturated, 0.3, 0.05) * random.normal(size=(2, len(frame)))
    catalog = Catalog()
    catalog.add("base_SdssCentroid_x", x[frame] + scatter[0])
    catalog.add("base_SdssCentroid_y", y[frame] + scatter[1])
    for name in ("base_PsfFlux", "base_GaussianFlux"):
        catalog.add(f"{name}_instFlux", flux)
        catalog.add(f"{name}_instFluxErr", 0.01 * flux)
    catalog.add("detect_isPrimary", np.ones(len(frame), bool))
    for name in ("base_SdssCentroid_flag", "base_PsfFlux_flag", *(f"base_PixelFlags_flag_{flag}" for flag in FLAGS)):
        catalog.add(name, saturated if name.endswith("_saturated") else np.zeros(len(frame), bool))
    return catalog, reference


def solve(catalog, reference):
    exposure = Exposure(MaskedImage(np.zeros((SIZE, SIZE), np.float32)))
    find = lambda ra, dec, radius: reference  # noqa: E731
    solution = solve_astrometry(exposure, catalog, Catalog(), "V", AstrometryConfig(), ReferenceConfig(), find=find)
    return exposure.wcs, solution


def test_saturated_stars_show_the_pattern_and_others_the_positions():
    catalog, reference = make_stars(250)
    wcs, solution = solve(catalog, reference)
    x, y = wcs.sky_to_pixel(ra=np.array([50.0, 52.0, 53.0]), dec=np.array([49.0, 50.0, 51.0]))
    true_x, true_y = WCS.sky_to_pixel(ra=np.array([50.0, 52.0, 53.0]), dec=np.array([49.0, 50.0, 51.0]))
    assert np.hypot(x - true_x, y - true_y).max() < 0.05
    used = catalog["calib_astrometry_used"]
    assert not used[catalog["base_PixelFlags_flag_saturated"]].any()
    assert used.sum() > 0.9 * np.sum(~catalog["base_PixelFlags_flag_saturated"])
    assert solution.warnings == ["the exposure came without a WCS; it was found by the pattern of its stars"]


def test_another_sky_is_refused_with_saturated_stars_too():
    catalog, _ = make_stars(250)
    _, reference = make_stars(251)
    with pytest.raises(MeasurementError, match="match nothing among"):
        solve(catalog, reference)
