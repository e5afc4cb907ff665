"""Positions and magnitudes of all visits fitted together, against the truth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from visits_of_a_field import MAGNITUDE_NOISE, POSITION_NOISE, SCALE, make_field, position_errors, without_zero_points

from obs.algorithms.relative.prior import likeliest_anchor_error
from obs.algorithms.relative.robust import fit_robustly
from obs.algorithms.relative.solve import Anchors
from obs.errors import MeasurementError
from obs.tasks.forced.ensemble import fit_ensemble
from obs.tasks.relative.astrometry import fit_common_astrometry
from obs.tasks.relative.config import CommonAstrometryConfig, CommonPhotometryConfig, StarsConfig
from obs.tasks.relative.frames import make_star_field
from obs.tasks.relative.photometry import fit_common_photometry

NOISE = 1e3 * POSITION_NOISE * SCALE  # mas
RADIUS = StarsConfig(radius=1.0)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.fixture(scope="module")
def field():
    return make_field()


@pytest.fixture(scope="module")
def stars(field):
    return make_star_field(field.frames, field.reference, RADIUS)


@pytest.mark.parametrize(("ra", "dec"), [(150.0, 2.0), (0.01, -5.0), (40.0, 89.95)])
def test_positions_are_as_good_as_their_noise(ra, dec):
    field = make_field(ra=ra, dec=dec)
    fit = fit_common_astrometry(make_star_field(field.frames, field.reference, RADIUS), CommonAstrometryConfig())
    errors = position_errors(field, fit.wcs)
    # 42 coefficients a visit and axis from 200 stars add a tenth to the noise of a position
    assert rms(errors) < 1.15 * NOISE
    assert np.abs(errors.mean(axis=0)).max() < 0.3 * NOISE
    assert rms(position_errors(field, [frame.wcs for frame in field.frames])) > 3 * NOISE
    assert fit.internal.after < 1.1 * NOISE < fit.internal.before
    assert fit.warnings == []


def test_places_of_detectors_are_found(stars):
    fit = fit_common_astrometry(stars, CommonAstrometryConfig(detector_order=1))
    turn = fit.offsets[0][2] - fit.offsets[1][2]
    # The maps of the visits follow the mean of both detectors and much of what is smooth across the gap.
    assert set(fit.offsets) == {0, 1}
    assert np.isfinite(turn)


def test_proper_motion_of_the_reference_catalog_is_applied():
    field = make_field(years=5.0, motion=40.0, n_visit=4)
    fit = fit_common_astrometry(make_star_field(field.frames, field.reference, RADIUS), CommonAstrometryConfig())
    moved = np.isin(np.arange(len(field.ra)), np.arange(0, len(field.ra), 3))
    errors = position_errors(field, fit.wcs)
    assert moved.any()
    # Two of three stars move and are not in the catalog; what they move is an error of 40 mas a year to the fit.
    assert np.abs(np.median(errors, axis=0)).max() < 2 * NOISE
    assert fit.floor < 150.0


def test_zero_points_and_flat_field(field, stars):
    magnitude = field.reference["magnitude"], np.full(len(field.reference), 0.003)
    fit = fit_common_photometry(stars, magnitude, CommonPhotometryConfig())
    errors = []
    for frame, calib in zip(field.frames, fit.photo_calib, strict=True):
        x, y = (part.ravel() for part in np.meshgrid(np.linspace(50, 750, 8), np.linspace(50, 950, 8)))
        truth = field.zero_points[frame.visit] + field.flat(frame, x, y)
        errors.append(calib.magnitude(np.ones(64), x=x, y=y) - truth)
    means = np.mean(errors, axis=1)
    # 140 stars of 4 mmag in a visit, and frames that may differ by 1 mmag
    assert rms(means) < 8e-4
    assert rms(np.ravel(errors)) < 1.5e-3
    assert fit.internal.after < 1.1e3 * MAGNITUDE_NOISE < 10.0 < fit.internal.before
    seen = np.bincount(stars.star, minlength=stars.n_star)
    assert 1 <= fit.n_variable <= field.variable.sum() < seen.astype(bool).sum()
    assert fit.floor < 1.0


def test_without_reference_the_mean_stays(field):
    stars = make_star_field(field.frames, None, RADIUS)
    astrometry = fit_common_astrometry(stars, CommonAstrometryConfig())
    assert astrometry.internal.after < 1.1 * NOISE
    # twelve frames with errors of 10 mas each leave their mean
    assert np.abs(position_errors(field, astrometry.wcs).mean(axis=0)).max() < 10.0
    photometry = fit_common_photometry(stars, None, CommonPhotometryConfig())
    assert photometry.internal.after < 1.1e3 * MAGNITUDE_NOISE
    mean = np.mean(
        [c.zero_point - f.photo_calib.zero_point for c, f in zip(photometry.photo_calib, field.frames, strict=True)]
    )
    assert abs(mean) < 0.01


def test_one_outlier_frame_does_not_harm_the_others(field):
    frames = list(field.frames)
    frames[3] = replace(frames[3], x=frames[3].x + np.random.default_rng(5).normal(0.0, 0.5, len(frames[3].x)))
    fit = fit_common_astrometry(make_star_field(frames, field.reference, RADIUS), CommonAstrometryConfig())
    errors = np.split(position_errors(field, fit.wcs), np.cumsum([len(frame.x) for frame in frames])[:-1])
    good = np.concatenate([part for number, part in enumerate(errors) if number // 2 != 1])
    assert rms(good) < 1.5 * NOISE
    assert fit.n_rejected > 0.5 * len(frames[3].x)


def test_a_variable_star_that_contradicts_its_anchor_stays_out():
    n_star, n_visit = 40, 4
    star, visit = (part.ravel() for part in np.indices((n_star, n_visit)))
    value = np.random.default_rng(1).normal(0.0, 0.004, star.size)
    # nothing that is left speaks against such a star once all of its measurements and its anchor are out
    value[star == 0] = 0.17, 0.29, 0.05, -0.25
    value[star == 1] = -0.4, 0.3, 0.3, 0.3
    design = sparse.csr_array((np.ones(star.size), (np.arange(star.size), visit)), shape=(star.size, n_visit))
    anchors = Anchors(np.arange(n_star), np.where(np.arange(n_star) < 2, -0.1, 0.0), np.ones(n_star))
    sigma = np.full(star.size, 0.004)
    options = {"n_star": n_star, "prior": np.full(n_visit, 4.0), "anchors": anchors}
    fit = fit_robustly(design, value, sigma, star, anchor_sigma=np.full(n_star, 0.001), **options)
    assert not fit.kept[star == 0].any()
    assert not fit.weight[star == 0].any()
    assert np.abs(fit.solution.parameters).max() < 4 * 0.004 / np.sqrt(n_star)


def test_error_of_reference_magnitudes_that_few_bright_stars_decide():
    """A curve through the flat field goes through the bright stars, which then seem to agree with the catalog."""
    n_star, n_visit, error, collapsed = 45, 10, 0.008, 0
    star = np.repeat(np.arange(n_star), n_visit)
    noise = np.r_[np.full(8, 0.004), np.full(n_star - 8, 0.04)][star]
    prior, sigma = np.r_[4.0, np.full(3, 0.03**-2.0)], np.full(n_star, 0.001)
    for seed in range(4):
        random = np.random.default_rng(seed)
        place = random.uniform(-1.0, 1.0, n_star)[star]
        value = random.normal(0.0, noise)
        anchors = Anchors(np.arange(n_star), random.normal(0.0, error, n_star), np.ones(n_star))
        design = sparse.csr_array(np.stack([np.ones(star.size), place, place**2, place**3], axis=1))
        fit = fit_robustly(design, value, noise, star, n_star=n_star, prior=prior, anchors=anchors, anchor_sigma=sigma)
        collapsed += fit.anchor_floor < 0.5 * error
        found = likeliest_anchor_error(design, value, star, anchors, fit, prior, sigma, usual=0.01)
        assert 0.45 * error < found < 1.5 * error
    assert collapsed


@pytest.mark.parametrize("off", [0.03, 0.1, 0.5])
def test_an_image_that_is_off_as_a_whole_keeps_its_stars(off):
    """Four images, one behind a cloud or in other seeing: without a first fit, all of it would be left out."""
    random = np.random.default_rng(5)
    n_star, offsets = 140, np.array([0.0, off, 0.003, -0.004])
    error = random.uniform(0.003, 0.02, n_star)
    star, image = np.tile(np.arange(n_star), 4), np.repeat(np.arange(4), n_star)
    magnitude = random.uniform(14, 18, n_star)[star] + offsets[image] + random.normal(0, error[star])
    variable = np.arange(0, len(star), 41)
    magnitude[variable] -= 0.5
    found = fit_ensemble(magnitude, error[star], star, image, n_star, 4)
    np.testing.assert_array_equal(np.flatnonzero(~found.constant), np.unique(star[variable]))
    assert found.n_star.min() > 0.97 * found.constant.sum()
    np.testing.assert_array_less(np.abs(found.offset - (offsets.mean() - offsets)), 4 * found.error)


def test_one_visit_is_held_by_the_reference_catalog(field):
    frames = field.frames[:2]
    stars = make_star_field(frames, field.reference, RADIUS)
    fit = fit_common_astrometry(stars, CommonAstrometryConfig())
    assert fit.visit_order < 5
    assert "stars in common" in fit.warnings[0]
    photometry = fit_common_photometry(make_star_field(frames, None, RADIUS), None, CommonPhotometryConfig())
    assert "flat field cannot be corrected" in photometry.warnings[0]


def test_no_zero_point_at_all(field):
    stars = make_star_field(without_zero_points(field), field.reference, RADIUS)
    with pytest.raises(MeasurementError, match="none of the images has a zero point"):
        fit_common_photometry(stars, None, CommonPhotometryConfig())


def test_frames_all_over_the_sky(field):
    far = make_field(ra=190.0, n_visit=1)
    with pytest.raises(MeasurementError, match=r"degrees from their middle .* choose the images of one field"):
        make_star_field([*field.frames, *far.frames], None, RADIUS)
