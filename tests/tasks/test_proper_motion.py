"""Reference stars move; the date of the exposure says how far."""

from types import SimpleNamespace

import numpy as np
import pytest

from obs.algorithms.astrometry.match import Matches
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.tasks.astrometry_config import AstrometryConfig
from obs.tasks.proper_motion import move_to_epoch, solve_at_epoch, warn_of_wrong_epoch
from obs.tasks.reference import ReferenceConfig

N, SHAPE, SCALE = 200, (1000, 1200), 0.3
MAS = np.radians(1 / 3.6e6)
MJD_2016, MJD_2026 = 57389.0, 61041.5
PLANES = ("edge", "saturated", "interpolatedCenter", "crCenter", "bad")
FLAGS = (
    "detect_isPrimary",
    "base_SdssCentroid_flag",
    "base_PsfFlux_flag",
    *(f"base_PixelFlags_flag_{p}" for p in PLANES),
)
WCS = TanSipWcs((150.0, 2.0), (600.0, 500.0), SCALE / 3600 * np.diag([-1.0, 1.0]))


def reference_stars(*, speed=20.0, unit="rad/year"):
    """Stars of epoch 2016 that move by ``speed`` mas a year in the mean of each axis."""
    random = np.random.default_rng(5)
    x, y = random.uniform(20, 1180, N), random.uniform(20, 980, N)
    ra, dec = WCS.pixel_to_sky(x=x, y=y)
    motion = random.normal(0.0, speed * (np.degrees(MAS) if unit == "deg" else MAS), (2, N))
    stars = Catalog()
    for name, values, of in (("coord_ra", ra, "deg"), ("coord_dec", dec, "deg"), ("pm_ra", motion[0], unit)):
        stars.add(name, values, of, name)
    stars.add("pm_dec", motion[1], unit, "pm_dec")
    stars.add("epoch", np.full(N, MJD_2016), "d", "epoch")
    stars.add("r_flux", 10 ** random.uniform(3, 5, N), "nJy", "flux")
    return stars


def sources_of(stars, mjd):
    """Sources of an exposure of a date, positions good to 0.05 pixels."""
    seen = move_to_epoch(stars, mjd)
    x, y = WCS.sky_to_pixel(ra=seen["coord_ra"], dec=seen["coord_dec"])
    noise = np.random.default_rng(6).normal(0.0, 0.05, (2, N))
    catalog = Catalog()
    for name in FLAGS:
        catalog.add(name, np.full(N, name == "detect_isPrimary"), "", "flag")
    for name, values in (("x", x + noise[0]), ("y", y + noise[1])):
        catalog.add(f"base_SdssCentroid_{name}", values, "pix", name)
    catalog.add("base_PsfFlux_instFlux", np.asarray(stars["r_flux"]), "ct", "flux")
    catalog.add("base_PsfFlux_instFluxErr", np.asarray(stars["r_flux"]) / 100, "ct", "its error")
    return catalog


def solve(stars, catalog, date, **settings):
    exposure = SimpleNamespace(wcs=WCS, other_wcs={}, shape=SHAPE, visit_info=VisitInfo(date_avg=date))
    config = AstrometryConfig(**settings)
    return solve_at_epoch(exposure, catalog, stars, "r", config, ReferenceConfig())


@pytest.mark.parametrize("unit", ["rad/year", "deg"])
@pytest.mark.parametrize("dec", [2.0, -89.9])
def test_stars_move_along_the_sphere(unit, dec):
    stars = reference_stars(unit=unit)
    stars.add("coord_dec", np.full(N, dec), "deg", "dec")
    moved = move_to_epoch(stars, MJD_2016 + 3652.5)
    degrees = 1.0 if unit == "deg" else np.degrees(1.0)
    north = moved["coord_dec"] - stars["coord_dec"]
    east = ((moved["coord_ra"] - stars["coord_ra"] + 180) % 360 - 180) * np.cos(np.radians(dec))
    # mas; at the pole a star that moves north changes what a degree of right ascension is
    np.testing.assert_allclose(3.6e6 * east, 3.6e7 * degrees * stars["pm_ra"], atol=1.0)
    np.testing.assert_allclose(3.6e6 * north, 3.6e7 * degrees * stars["pm_dec"], atol=1.0)
    assert (moved["epoch"] == MJD_2016 + 3652.5).all()


def test_what_is_not_known_does_not_move():
    stars = reference_stars()
    assert move_to_epoch(stars, np.nan) is stars
    stars.add("pm_ra", np.where(np.arange(N) < 5, np.nan, stars["pm_ra"]), "rad/year", "pm_ra")
    moved = move_to_epoch(stars, MJD_2026)
    np.testing.assert_allclose(moved["coord_dec"][:5], stars["coord_dec"][:5], atol=1e-12)
    assert (moved["epoch"][:5] == MJD_2016).all()
    without = Catalog({name: column for name, column in stars.columns.items() if name != "epoch"})
    assert move_to_epoch(without, MJD_2026) is without


def test_stars_are_matched_where_they_were_at_the_date():
    stars = reference_stars()
    catalog = sources_of(stars, MJD_2026)
    right, undated = (solve(stars, catalog, date) for date in ("2026-01-01T12:00:00", ""))
    assert right.fit.scatter == pytest.approx(0.05 * SCALE, rel=0.15)
    # ten years of 20 mas
    assert undated.fit.scatter == pytest.approx(0.2, rel=0.15)
    assert not right.warnings


def test_a_date_long_before_the_catalog_is_told_to_be_wrong():
    """With the stars 100 years from where they are nothing matches; with those of the catalog all does."""
    stars = reference_stars(speed=60.0)
    catalog = sources_of(stars, MJD_2016 + 400)
    solution = solve(stars, catalog, "1916-01-01T00:00:00")
    assert "the date of the exposure (1916.0) is probably wrong" in solution.warnings[-1]
    far = sources_of(stars, MJD_2016 + 36525)
    with pytest.raises(MeasurementError, match="no astrometry"):
        solve(stars, far, "1916-01-01T00:00:00")


@pytest.mark.parametrize(("given", "message"), [(2006.0, "date of the exposure is 2006.0"), (np.nan, "has no date")])
def test_stars_show_the_date(given, message):
    stars = reference_stars()
    seen, mjd = move_to_epoch(stars, MJD_2026), 51544.5 + 365.25 * (given - 2000.0)
    rows = np.arange(N)
    matches = Matches(rows, rows, np.zeros(N))
    warning = "".join(warn_of_wrong_epoch(seen, move_to_epoch(stars, mjd), matches, mjd))
    assert "show the year 2026.0" in warning
    assert message in warning
    assert not warn_of_wrong_epoch(seen, seen, matches, MJD_2026)
