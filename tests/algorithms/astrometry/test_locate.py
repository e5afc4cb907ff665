"""Frames that are found by their stars: turned, mirrored, scaled, far from their pointing, bent by their optics."""

import dataclasses

import numpy as np
import pytest

from obs.algorithms.astrometry.compare import compare_wcs
from obs.algorithms.astrometry.coverage import measure_coverage
from obs.algorithms.astrometry.fit import fit_astrometry
from obs.algorithms.astrometry.locate import locate_frame
from obs.algorithms.astrometry.odds import log_odds, log_trials
from obs.algorithms.astrometry.quad_index import QuadIndex
from obs.algorithms.astrometry.quads import form_quads
from obs.algorithms.astrometry.sky_stars import covered_area
from obs.errors import MeasurementError
from obs.image.wcs import TanSipWcs
from obs.sky_vectors import sky_vectors

SHAPE = (1361, 2048)
SCALE = 0.4
NOISE = 0.05
MIDDLE = (1023.5, 680.0)
TRUTH = TanSipWcs((10.0, -30.0), MIDDLE, SCALE / 3600 * np.array([[-1.0, 0.0], [0.0, 1.0]]))


def turn(wcs, degrees, scale=1.0, *, mirrored=False):
    """The WCS with its y axis turned from north through east."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    flip = np.diag([-1.0 if mirrored else 1.0, 1.0])
    return dataclasses.replace(wcs, cd=scale * np.array([[cosine, sine], [-sine, cosine]]) @ wcs.cd @ flip)


def bend(x, y, k):
    """Radial distortion that moves the corners of the frame by a fraction k of their distance from the middle."""
    u, v = x - MIDDLE[0], y - MIDDLE[1]
    factor = 1 + k * (u**2 + v**2) / (MIDDLE[0] ** 2 + MIDDLE[1] ** 2)
    return MIDDLE[0] + u * factor, MIDDLE[1] + v * factor


def field(n=100, *, seed=0, k=0.0, spurious=0.3, missing=0.2, extent=1.5, other_sky=False):
    """Lists of sources and of reference stars out to some frames around; n stars on the frame."""
    rng = np.random.default_rng(seed)
    m = int(n * 4 * extent**2)
    x = rng.uniform(-extent, extent, m) * SHAPE[1] / 1.0 + MIDDLE[0]
    y = rng.uniform(-extent, extent, m) * SHAPE[0] / 1.0 + MIDDLE[1]
    flux = 10 ** (1 + rng.exponential(0.5, m))
    near = (np.abs(x - MIDDLE[0]) < 0.7 * SHAPE[1]) & (np.abs(y - MIDDLE[1]) < 0.7 * SHAPE[0])
    place = np.stack(bend(x, y, k))
    on = near & (x > 0) & (x < SHAPE[1] - 1) & (y > 0) & (y < SHAPE[0] - 1)
    # far away the distortion is of no interest
    ra, dec = TRUTH.pixel_to_sky(x=np.where(near, place[0], x), y=np.where(near, place[1], y))
    seen = on & (rng.uniform(size=m) > missing / 2)
    known = rng.uniform(size=m) > missing / 2
    n_false = int(spurious * seen.sum())
    if other_sky:
        ra, dec = TRUTH.pixel_to_sky(x=rng.permutation(x), y=rng.permutation(y))
    return {
        "x": np.r_[x[seen] + rng.normal(0, NOISE, seen.sum()), rng.uniform(0, SHAPE[1], n_false)],
        "y": np.r_[y[seen] + rng.normal(0, NOISE, seen.sum()), rng.uniform(0, SHAPE[0], n_false)],
        "flux": np.r_[flux[seen], 10 ** (1 + rng.exponential(0.5, n_false))],
        "ref_ra": ra[known],
        "ref_dec": dec[known],
        "ref_flux": flux[known],
        "shape": SHAPE,
    }


def locate(lists, wcs, **settings):
    scale = wcs.pixel_scale if wcs is not None else 1.0
    change = 1.2 if wcs is not None else 10.0
    return locate_frame(**lists, wcs=wcs, min_scale=scale / change, max_scale=scale * change, **settings)


def solve(lists, wcs):
    """The first place at which the WCS can be fitted."""
    limits = {"max_rotation": 10, "max_scale_change": 0.1}
    for found in locate(lists, wcs):
        try:
            return fit_astrometry(
                **lists, wcs=found.wcs, trials=found.trials, around=found.around, bend=found.bend, **limits
            )
        except MeasurementError:
            continue
    pytest.fail("no place on the sky is found")


def largest_error(wcs, k=0.0):
    """Largest distance on the frame from the truth, pixels."""
    x, y = np.meshgrid(np.linspace(0, SHAPE[1] - 1, 9), np.linspace(0, SHAPE[0] - 1, 9))
    ra, dec = wcs.pixel_to_sky(x=x, y=y)
    return np.hypot(*(np.stack(TRUTH.sky_to_pixel(ra=ra, dec=dec)) - bend(x, y, k))).max()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "wrong",
    [
        turn(TRUTH, 2),
        turn(TRUTH, 5),
        turn(TRUTH, 90),
        turn(TRUTH, 180),
        turn(TRUTH, 0, 1.03),
        TRUTH.shifted(x=300, y=0),
        turn(TRUTH, 57, 0.85, mirrored=True).shifted(x=2500, y=-1500),
    ],
    ids=["2 deg", "5 deg", "90 deg", "180 deg", "3 %", "300 pixels", "everything"],
)
def test_a_wrong_wcs_is_put_right(wrong, seed):
    fit = solve(field(seed=seed), wrong)
    assert largest_error(fit.wcs) < 6 * NOISE * np.sqrt(3 / fit.n_star)
    assert fit.coverage.covered == 1.0


@pytest.mark.parametrize("k", [-0.1, -0.03, 0.05, 0.1])
@pytest.mark.parametrize("n", [60, 400])
def test_distortion_is_solved_without_a_prior(k, n):
    fit = solve(field(n, k=k), turn(TRUTH, 130))
    assert fit.order == 3
    assert largest_error(fit.wcs, k) < 0.5
    assert fit.scatter / SCALE < 1.3 * NOISE


@pytest.mark.parametrize("k", [0.015, 0.05, 0.1])
def test_a_tan_header_over_a_distorted_frame(k):
    """The pattern is found where the header holds, in the middle of the frame, and the match grows from there."""
    fit = fit_astrometry(**field(200, k=k), wcs=TRUTH)
    assert largest_error(fit.wcs, k) < 0.3


def test_distortion_that_the_order_cannot_follow_is_refused():
    with pytest.raises(
        MeasurementError, match=r"no astrometry: (its scale|the match holds|the .* stars|of .* sources)"
    ):
        fit_astrometry(**field(300, k=0.1), wcs=TRUTH, max_order=1)


@pytest.mark.parametrize("seed", range(4))
def test_another_part_of_the_sky_is_not_matched(seed):
    lists = field(60, seed=seed, other_sky=True)
    assert not [found for found in locate(lists, turn(TRUTH, 40)) if found.log_odds > 13.8]


def test_a_frame_is_found_without_any_wcs():
    fit = solve(field(50, extent=1.0), None)
    assert largest_error(fit.wcs) < 6 * NOISE * np.sqrt(3 / fit.n_star)


def sparse(n, seed):
    """Exactly n stars on the frame, and as many on each frame around."""
    rng = np.random.default_rng(seed)
    cells = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) for _ in range(n)]
    x, y = (np.array(cells) + rng.uniform(0.05, 0.95, (len(cells), 2))).T * [[SHAPE[1]], [SHAPE[0]]]
    on = np.array([cell == (0, 0) for cell in cells])
    flux = 10 ** rng.uniform(1, 3, len(x))
    ra, dec = TRUTH.pixel_to_sky(x=x, y=y)
    seen = x[on] + rng.normal(0, NOISE, n), y[on] + rng.normal(0, NOISE, n), flux[on]
    return dict(zip(("x", "y", "flux", "ref_ra", "ref_dec", "ref_flux"), (*seen, ra, dec, flux), strict=True)) | {
        "shape": SHAPE
    }


@pytest.mark.parametrize("seed", range(3))
def test_five_stars_are_enough_near_the_pointing(seed):
    fit = fit_astrometry(**sparse(5, seed), wcs=turn(TRUTH, 0.5).shifted(x=100, y=-60))
    assert fit.n_star == 5
    assert largest_error(fit.wcs) < 1.0


@pytest.mark.parametrize("seed", range(3))
def test_seven_stars_are_enough_wherever_they_are(seed):
    """Any rotation, both parities, 20 % of scale, nine frames: five stars agree with that by chance."""
    fit = solve(sparse(7, seed), turn(TRUTH, 100).shifted(x=500, y=800))
    assert fit.n_star == 7
    assert largest_error(fit.wcs) < 1.0
    assert not list(locate(sparse(4, seed), turn(TRUTH, 100)))


def test_limits_of_the_search_are_kept():
    lists = field(50)
    assert not list(locate(lists, turn(TRUTH, 20), max_rotation=10.0, mirrored=False))
    assert not list(locate(lists, turn(TRUTH, 20, mirrored=True), mirrored=False))
    assert not list(locate_frame(**lists, wcs=TRUTH, min_scale=0.5, max_scale=0.6))


def test_known_distortion_is_kept():
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[2, 0], b[1, 1], a[3, 0] = 2e-5, -1e-5, 3e-9
    bent = dataclasses.replace(TRUTH, a=a, b=b)
    found = next(locate(field(100), turn(bent, 60)))
    assert found.wcs.a is not None
    assert compare_wcs(found.wcs, turn(bent, 60), SHAPE).rotation == pytest.approx(-60, abs=2)


def test_the_pole_is_a_place_like_others():
    lists = field(100)
    pole = TanSipWcs((123.0, 89.99), MIDDLE, TRUTH.cd)
    x, y = TRUTH.sky_to_pixel(ra=lists["ref_ra"], dec=lists["ref_dec"])
    lists["ref_ra"], lists["ref_dec"] = pole.pixel_to_sky(x=x, y=y)
    fit = solve(lists, turn(pole, 77).shifted(x=900, y=0))
    grid = np.meshgrid(np.linspace(0, 2047, 5), np.linspace(0, 1360, 5))
    back = pole.sky_to_pixel(**dict(zip(("ra", "dec"), fit.wcs.pixel_to_sky(x=grid[0], y=grid[1]), strict=True)))
    assert np.abs(np.stack(back) - np.stack(grid)).max() < 0.1


@pytest.mark.parametrize("change", [lambda z: z, lambda z: 3 * z * np.exp(2j) + 5, np.conj])
def test_codes_do_not_depend_on_the_frame(change):
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 100, 30) + 1j * rng.uniform(0, 100, 30)
    there = change(points)
    first, second = (form_quads(np.stack([z.real, z.imag], axis=1), 6, np.inf) for z in (points, there))
    unit = np.array([1, -1, 1, -1]) if change is np.conj else np.ones(4)
    same = {tuple(m): c for m, c in zip(np.sort(first.members, 1).tolist(), first.code, strict=True)}
    for members, code in zip(np.sort(second.members, 1).tolist(), second.code, strict=True):
        np.testing.assert_allclose(code * unit, same[tuple(members)], atol=1e-9)


def test_quads_on_the_sky_are_those_of_the_plane():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 500, 40), rng.uniform(0, 500, 40)
    on_sky = form_quads(sky_vectors(*TRUTH.pixel_to_sky(x=x, y=y)), 5, np.inf)
    plane = form_quads(np.stack([-x, y], axis=1), 5, np.inf)
    assert len(on_sky) == len(plane)
    np.testing.assert_allclose(np.sort(on_sky.code, axis=0), np.sort(plane.code, axis=0), atol=1e-5)
    np.testing.assert_allclose(np.median(on_sky.length / plane.length), np.radians(SCALE / 3600), rtol=1e-5)


def test_odds_grow_with_matches_and_fall_with_trials():
    rng = np.random.default_rng(3)
    stars = rng.uniform(0, 1000, 20) + 1j * rng.uniform(0, 1000, 20)
    others = rng.uniform(0, 1000, 20) + 1j * rng.uniform(0, 1000, 20)
    sigma, distance = np.ones((1, 20)), np.zeros(20)
    separations = np.abs((stars + 0.5)[:, None] - stars), np.abs(others[:, None] - stars)
    right, wrong = (log_odds(each.min(1), each.argmin(1), sigma, distance, 2e-5) for each in separations)
    assert right[0] > 100
    assert wrong[0] < 5
    assert log_trials(1e6, 1.0, 500, 0.4, 6.0) == pytest.approx(np.log(1e6 / (2 * np.pi) * 3000 * 200), abs=1e-6)


def test_a_corner_without_matches_is_not_covered():
    rng = np.random.default_rng(4)
    points = rng.uniform(0, 1000, (400, 2))
    matched = rng.uniform(size=400) < 0.7
    whole = measure_coverage(points, matched, points, matched, chance=0.01)
    assert whole.covered == 1.0
    assert whole.matched == pytest.approx(0.7, abs=0.1)
    corner = (points > 600).all(axis=1)
    part = measure_coverage(points, matched & ~corner, points, matched & ~corner, chance=0.01)
    assert 1 - part.covered == pytest.approx(corner.mean(), abs=0.06)
    # where the catalog ends there is nothing to match
    edge = measure_coverage(points, matched & ~corner, points[~corner], matched[~corner], chance=0.01)
    assert edge.covered == 1.0


def test_changes_of_a_wcs():
    change = compare_wcs(turn(TRUTH, 30, 1.1, mirrored=True).shifted(x=100, y=0), TRUTH, SHAPE)
    assert change.rotation == pytest.approx(30, abs=0.1)
    assert change.scale == pytest.approx(1.1, abs=1e-4)
    assert change.mirrored
    assert change.offset == pytest.approx(100 * SCALE * 1.1, rel=1e-3)
    far = compare_wcs(dataclasses.replace(TRUTH, crval=(190.0, 30.0)), TRUTH, SHAPE)
    assert far.offset == pytest.approx(180 * 3600, abs=0.1)


@pytest.mark.parametrize("mirrored", [False, True])
def test_quads_are_looked_up_as_by_comparing_all(mirrored):
    rng = np.random.default_rng(5)
    stars, sources = form_quads(rng.uniform(0, 4, (150, 2)), 7, 2.0), form_quads(rng.uniform(0, 1, (20, 2)), 9, 2.0)
    first, second = QuadIndex(stars, 0.04).match(sources, 1.0, 0.3, mirrored=mirrored, most=10**6)
    code = sources.code * ([1, -1, 1, -1] if mirrored else [1, 1, 1, 1])
    same = np.abs(code[:, None] - stars.code[None]).max(axis=2) <= 0.04
    same &= np.abs(np.log(sources.length[:, None] / stars.length[None])) <= 0.3
    assert same.sum() > 20
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [tuple(pair) for pair in np.argwhere(same)]
    fewer = QuadIndex(stars, 0.04).match(sources, 1.0, 0.3, mirrored=mirrored, most=5)
    assert set(zip(*(each.tolist() for each in fewer), strict=True)) <= set(map(tuple, np.argwhere(same).tolist()))


@pytest.mark.parametrize("k", [-0.1, 0.1])
@pytest.mark.parametrize("seed", range(2))
def test_few_stars_behind_optics_that_distort_by_ten_per_cent(k, seed):
    """Hardly any quad of such a frame is that of the sky, so the sources are straightened by some amounts first."""
    fit = solve(field(25, seed=seed, k=k), turn(TRUTH, 130, 1.1).shifted(x=1500, y=-900))
    assert largest_error(fit.wcs, k) < 1.0


def test_stars_near_the_pole_have_separations_in_arcsec():
    lists = field(100)
    pole = TanSipWcs((123.0, 89.999), MIDDLE, TRUTH.cd)
    x, y = TRUTH.sky_to_pixel(ra=lists["ref_ra"], dec=lists["ref_dec"])
    lists["ref_ra"], lists["ref_dec"] = pole.pixel_to_sky(x=x, y=y)
    fit = fit_astrometry(**lists, wcs=pole)
    assert fit.scatter / SCALE < 1.3 * NOISE
    assert fit.matches.separation.max() / SCALE < 6 * NOISE


def test_sources_beyond_the_end_of_the_catalog_are_counted():
    rng = np.random.default_rng(6)
    points = rng.uniform(0, 1000, (300, 2))
    half = points[:, 0] < 500
    whole = measure_coverage(points, half, points, half, chance=0.0)
    ends = measure_coverage(points, half, points[half], np.ones(half.sum(), bool), chance=0.0)
    assert whole.outside == 0.0
    assert ends.outside == pytest.approx(0.4, abs=0.1)


@pytest.mark.parametrize("n", [500, 20000])
def test_the_area_of_a_catalog_does_not_depend_on_its_depth(n):
    rng = np.random.default_rng(7)
    vectors = sky_vectors(rng.uniform(100, 110, n), rng.uniform(-5, 5, n))
    assert np.degrees(np.degrees(covered_area(vectors))) == pytest.approx(100, rel=0.35)


@pytest.mark.parametrize("seed", range(6))
def test_few_stars_never_hide_a_distortion(seed):
    """Nine stars follow a similarity to half a pixel, which would be off by many pixels at the corners."""
    lists = field(14, seed=seed, k=0.012, spurious=0.1)
    try:
        fit = fit_astrometry(**lists, wcs=TRUTH, trials=25.0, max_scatter=1.0)
    except MeasurementError:
        return
    assert largest_error(fit.wcs, 0.012) < 2.0
