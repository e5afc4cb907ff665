"""Proper motions that visits show, against the truth, and where they show none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree
from visits_of_a_field import make_field

from obs.tasks.relative.astrometry import fit_common_astrometry
from obs.tasks.relative.config import CommonAstrometryConfig, StarMotionConfig, StarsConfig
from obs.tasks.relative.frames import make_star_field
from obs.tasks.relative.motions import fit_star_motions, moved_fields

MOTION = 8.0  # mas a year
POSITIONS = CommonAstrometryConfig(visit_order=3, detector_order=1)


def without_motions(reference):
    """Return positions of the reference catalog alone."""
    columns = {name: column for name, column in reference.columns.items() if name not in ("pm_ra", "pm_dec", "epoch")}
    return type(reference)(columns, reference.metadata)


def fit(field, reference=None, radius=1.0):
    stars = make_star_field(field.frames, reference or without_motions(field.reference), StarsConfig(radius=radius))
    positions = fit_common_astrometry(stars, POSITIONS)
    return stars, positions, fit_star_motions([stars], [positions], StarMotionConfig())


def errors(field, catalog):
    """Return errors of proper motions in mas a year and in standard errors, shape (n, 2), and the rows of stars."""
    tree = cKDTree(np.c_[field.ra, field.dec])
    distance, row = tree.query(np.c_[catalog["coord_ra"], catalog["coord_dec"]])
    assert (distance * 3600 < 0.1).all()
    off = np.stack([catalog["pm_ra"], catalog["pm_dec"]], axis=1) - field.motion.T[row]
    return off, off / np.stack([catalog["pm_raErr"], catalog["pm_decErr"]], axis=1), row


def test_motions_are_those_of_the_stars():
    field = make_field(years=4.0, motion=MOTION, n_visit=5, n_star=300, seed=3)
    stars, before, motions = fit(field)
    assert motions.reason == ""
    assert motions.width == pytest.approx(MOTION, rel=0.15)
    off, pulls, _ = errors(field, motions.catalog)
    # 0.6 mas a year from the noise of positions; the maps of order 3 follow a tenth of the variance of the motions
    assert np.sqrt(np.mean(off**2)) < 4.0
    assert 0.8 < 1.4826 * np.median(np.abs(pulls)) < 1.6
    after = fit_common_astrometry(moved_fields([stars], motions)[0], POSITIONS)
    assert after.internal.after < 0.4 * before.internal.after
    assert after.reference.after < before.reference.after


def test_no_motions_where_stars_stand_still():
    field = make_field(years=4.0, motion=0.0, n_visit=4, seed=4)
    _, _, motions = fit(field)
    assert motions.catalog is None
    assert "as probable without" in motions.reason


def test_two_epochs_cannot_tell_motions_from_errors():
    field = make_field(years=4.0, motion=MOTION, n_visit=2, seed=5)
    _, _, motions = fit(field)
    assert motions.catalog is None


def test_exposures_of_one_season_show_no_motions():
    field = make_field(years=0.4, motion=MOTION, n_visit=3, seed=6)
    _, _, motions = fit(field)
    assert motions.catalog is None
    assert "span 0.40 years" in motions.reason


def test_wrong_positions_are_no_motions():
    field = make_field(years=4.0, motion=0.0, n_visit=4, seed=7)
    random = np.random.default_rng(1)
    wrong = [random.random(len(frame.x)) < 0.01 for frame in field.frames]
    field.frames[:] = [
        replace(frame, x=frame.x + 0.6 * bad * random.normal(size=len(frame.x)))
        for frame, bad in zip(field.frames, wrong, strict=True)
    ]
    _, _, motions = fit(field)
    assert motions.catalog is None


def test_motions_of_the_reference_catalog_are_kept():
    field = make_field(years=4.0, motion=MOTION, n_visit=4, seed=8)
    _, _, motions = fit(field, field.reference)
    _, _, rows = errors(field, motions.catalog)
    assert not np.isin(rows, np.arange(0, len(field.ra), 3)).any()


def test_two_filters_at_two_epochs_are_enough():
    field = make_field(years=3.0, motion=MOTION, n_visit=2, seed=9)
    again = make_field(years=3.0, motion=MOTION, n_visit=2, seed=9)
    random = np.random.default_rng(2)
    again.frames[:] = [replace(f, x=f.x + random.normal(0, 0.004, len(f.x))) for f in again.frames]
    parts = [make_star_field(one.frames, without_motions(one.reference), StarsConfig()) for one in (field, again)]
    fits = [fit_common_astrometry(part, POSITIONS) for part in parts]
    motions = fit_star_motions(parts, fits, StarMotionConfig())
    assert motions.reason == ""
    assert np.median(np.abs(errors(field, motions.catalog)[0])) < 2.0
