import numpy as np
import pytest

from obs.image.catalog import Catalog
from obs.image.photo_calib import PhotoCalib
from obs.qa.metrics import compare_with_truth, limiting_magnitude, robust_scatter, true_width

ZERO_POINT = 30.0
NOISE = 50.0  # counts of a point source


def _truth(n=400, seed=5):
    """Stars on a grid with random magnitudes, and a galaxy beside the first."""
    random = np.random.default_rng(seed)
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(20) * 60 + 30, np.arange(20) * 60 + 30))
    magnitude = random.uniform(18, 25, n)
    truth = Catalog(metadata={"BETA": 3.0})
    extra = [x[0] + 5.0], [y[0]], [magnitude[0]]
    truth.add("x", np.append(x, extra[0]))
    truth.add("y", np.append(y, extra[1]))
    truth.add("magnitude", np.append(magnitude, extra[2]))
    truth.add("is_star", np.append(np.ones(n, bool), False))
    truth.add("electrons", 10 ** (-0.4 * (truth["magnitude"] - 31.0)))
    truth.add("counts", truth["electrons"] / 2.5)
    truth.add("coord_ra", (359.9 + truth["x"] * 1e-4) % 360)
    truth.add("coord_dec", 60 + truth["y"] * 1e-4)
    for name, value in (("psf_fwhm", 4.0), ("psf_g1", 0.0), ("psf_g2", 0.0)):
        truth.add(name, np.full(n + 1, value))
    return truth


def _measured(truth, seed=6, offset=0.0, east=0.0, limit=250.0):
    """What an ideal pipeline would measure, with noise and errors in magnitude (mag) and right ascension (mas)."""
    random = np.random.default_rng(seed)
    stars = truth.select(truth["is_star"])
    flux = 10 ** (-0.4 * (stars["magnitude"] + offset - ZERO_POINT)) + random.normal(0, NOISE, len(stars))
    source = Catalog()
    source.add("base_SdssCentroid_x", stars["x"] + random.normal(0, 0.01, len(stars)))
    source.add("base_SdssCentroid_y", stars["y"] + random.normal(0, 0.01, len(stars)))
    source.add("base_PsfFlux_instFlux", flux)
    source.add("base_PsfFlux_instFluxErr", np.full(len(stars), NOISE))
    source.add("detect_isPrimary", np.ones(len(stars), bool))
    source.add(
        "coord_ra", (stars["coord_ra"] + (east + random.normal(0, 4, len(stars))) / 3.6e6 / np.cos(np.pi / 3)) % 360
    )
    source.add("coord_dec", stars["coord_dec"] + random.normal(0, 2, len(stars)) / 3.6e6)
    return source.select(flux > limit)


def test_errors_of_stars_are_found():
    truth = _truth()
    found = compare_with_truth(_measured(truth, offset=0.03, east=7.0), truth, PhotoCalib.from_zero_point(ZERO_POINT))
    assert found.bright.sum() > 50
    assert found.photometric_offset == pytest.approx(0.03, abs=0.002)
    assert found.photometric_scatter < 0.01
    assert found.astrometric_offset[0] == pytest.approx(7.0, abs=1.5)
    assert found.astrometric_offset[1] == pytest.approx(0.0, abs=1.0)
    assert found.astrometric_scatter[0] == pytest.approx(4.0, rel=0.3)
    assert found.astrometric_scatter[1] == pytest.approx(2.0, rel=0.3)
    assert found.depth == pytest.approx(ZERO_POINT - 2.5 * np.log10(5 * NOISE), abs=1e-6)
    assert found.completeness == 1.0


def test_stars_with_neighbors_do_not_count():
    truth = _truth()
    found = compare_with_truth(_measured(truth), truth, None)
    assert not np.any((found.x == truth["x"][0]) & (found.y == truth["y"][0]))
    assert len(found.x) < len(truth) - 1
    assert np.isnan(found.magnitude_error).all()
    assert np.isnan(found.photometric_offset)
    assert np.isnan(found.depth)


def test_stars_that_are_not_found_are_missed():
    truth = _truth()
    source = _measured(truth)
    found = compare_with_truth(source.select(np.arange(len(source)) % 4 != 0), truth, None)
    assert found.completeness == pytest.approx(0.75, abs=0.05)


def test_spoiled_and_blended_sources_do_not_count():
    truth = _truth()
    source = _measured(truth)
    saturated = np.arange(len(source)) < len(source) // 2
    source.add("base_PixelFlags_flag_saturatedCenter", saturated)
    source.add("detect_isPrimary", np.arange(len(source)) % 2 == 0)
    good = compare_with_truth(source, truth, None)
    assert len(good.x) < 0.3 * len(source)


def test_nothing_to_compare_gives_no_numbers():
    truth = _truth()
    empty = _measured(truth).select(slice(0, 0))
    found = compare_with_truth(empty, truth, PhotoCalib.from_zero_point(30.0))
    for value in (found.photometric_offset, found.photometric_scatter, *found.astrometric_scatter, found.depth):
        assert np.isnan(value)
    assert np.isnan(found.completeness)
    assert np.isnan(compare_with_truth(empty, truth.select(slice(0, 0)), None).seeing)


def test_depth_needs_faint_sources():
    truth = _truth()
    source = _measured(truth)
    bright = source.select(source["base_PsfFlux_instFlux"] > 1000 * NOISE)
    assert np.isnan(limiting_magnitude(bright, PhotoCalib.from_zero_point(30.0)))


def test_width_is_that_of_the_psf_seen_through_pixels():
    truth = _truth()
    assert true_width(truth) == pytest.approx(np.hypot(4.0, np.sqrt(8 * np.log(2) / 12)), rel=0.01)


def test_scatter_is_that_of_a_normal_distribution_whatever_lies_far_out():
    values = np.random.default_rng(1).normal(3, 2, 5000)
    values[:50] = 1e6
    values[50] = np.nan
    assert robust_scatter(values) == pytest.approx(2.0, rel=0.04)
    assert np.isnan(robust_scatter(np.array([1.0])))
