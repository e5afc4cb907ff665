import gzip

import numpy as np
import pytest
from astropy.io import fits

from obs.algorithms.astrometry.fit import fit_astrometry
from obs.errors import MeasurementError
from obs.image.wcs import TanSipWcs

SHAPE = (1361, 2048)
SCALE = 0.396
NOISE = 0.05


def distortion():
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[2, 0], a[1, 1], b[0, 2], a[3, 0], b[2, 1] = 1e-6, 5e-7, -8e-7, 3e-10, -4e-10
    return a, b


def field(*, n=300, seed=0, contamination=0.5, offset=(0.0, 0.0), rotation=0.0, scale=0.0, distorted=False):
    """Return arguments of `fit_astrometry`, and the true WCS; contamination is a fraction in both lists."""
    rng = np.random.default_rng(seed)
    angle = np.radians(30.0)
    cd = SCALE / 3600 * np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    a, b = distortion() if distorted else (None, None)
    truth = TanSipWcs((359.95, 45.0), (1000.0, 700.0), cd, a, b)
    x, y = rng.uniform(-300, SHAPE[1] + 300, n), rng.uniform(-300, SHAPE[0] + 300, n)
    flux = 10 ** rng.uniform(1, 4, n)
    ra, dec = truth.pixel_to_sky(x=x, y=y)
    in_catalog = rng.uniform(size=n) > 0.5 * contamination
    seen = (x > 0) & (x < SHAPE[1]) & (y > 0) & (y < SHAPE[0]) & (rng.uniform(size=n) > 0.3 * contamination)
    n_false = int(contamination * seen.sum())
    turn = np.radians(rotation)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * (1 + scale)
    arguments = {
        "x": np.r_[x[seen] + rng.normal(0, NOISE, seen.sum()), rng.uniform(0, SHAPE[1], n_false)],
        "y": np.r_[y[seen] + rng.normal(0, NOISE, seen.sum()), rng.uniform(0, SHAPE[0], n_false)],
        "flux": np.r_[flux[seen] * np.exp(rng.normal(0, 0.2, seen.sum())), 10 ** rng.uniform(1, 4, n_false)],
        "ref_ra": ra[in_catalog],
        "ref_dec": dec[in_catalog],
        "ref_flux": flux[in_catalog],
        "wcs": TanSipWcs((359.95, 45.0), (1000.0 + offset[0], 700.0 + offset[1]), cd @ matrix),
        "shape": SHAPE,
    }
    return arguments, truth


def largest_error(wcs, truth):
    """Return the largest distance on the detector between two WCS, arcsec."""
    x, y = np.meshgrid(np.linspace(0, SHAPE[1] - 1, 9), np.linspace(0, SHAPE[0] - 1, 9))
    (ra1, dec1), (ra2, dec2) = wcs.pixel_to_sky(x=x, y=y), truth.pixel_to_sky(x=x, y=y)
    return 3600 * np.hypot((np.mod(ra1 - ra2 + 180, 360) - 180) * np.cos(np.radians(dec1)), dec1 - dec2).max()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "error",
    [
        {},
        {"offset": (70.0, -40.0)},
        {"offset": (200.0, -120.0), "rotation": 1.0, "scale": 0.01},
        {"offset": (-150.0, 150.0), "rotation": -1.0, "scale": -0.01, "contamination": 0.6},
        {"n": 70, "offset": (60.0, 60.0), "rotation": 0.5},
        {"n": 3000, "offset": (-60.0, 20.0), "rotation": -0.5},
    ],
    ids=["right", "shifted", "all", "contaminated", "sparse", "crowded"],
)
def test_the_pattern_is_found_and_the_truth_recovered(error, seed):
    arguments, truth = field(**error, seed=seed)
    fit = fit_astrometry(**arguments)
    # a linear fit to n stars misses a corner by at most some 4 times the error of the mean
    assert largest_error(fit.wcs, truth) < 6 * NOISE * SCALE * np.sqrt(3 / fit.n_star)
    assert fit.scatter == pytest.approx(NOISE * SCALE, rel=0.35)
    assert fit.order == 1


def test_what_was_wrong_is_told():
    arguments, _ = field(offset=(30.0, -40.0), rotation=0.5, scale=0.01)
    fit = fit_astrometry(**arguments)
    assert abs(fit.rotation) == pytest.approx(0.5, abs=0.01)
    assert fit.scale == pytest.approx(1 / 1.01, abs=2e-4)
    assert fit.offset == pytest.approx(50 * SCALE, abs=1.5)


def test_distortion_raises_the_order():
    arguments, truth = field(n=600, distorted=True, offset=(50.0, 20.0))
    fit = fit_astrometry(**arguments)
    assert fit.order == 3
    assert largest_error(fit.wcs, truth) < 0.05
    assert fit.predicted_scatter > fit.scatter


def bend(arguments, truth, factor):
    """Move the reference stars as ``factor`` times the distortion does; return the WCS that is then true."""
    bent = TanSipWcs(truth.crval, truth.crpix, truth.cd, *(factor * terms for terms in distortion()))
    x, y = truth.sky_to_pixel(ra=arguments["ref_ra"], dec=arguments["ref_dec"])
    arguments["ref_ra"], arguments["ref_dec"] = bent.pixel_to_sky(x=x, y=y)
    return bent


@pytest.mark.parametrize("factor", [2.0, 4.0, 8.0])
def test_distortion_beyond_the_match_radius_is_followed(factor):
    """The a-priori WCS knows none of it, and the radius, 3 pixels, is passed on much of the detector."""
    arguments, truth = field(n=800)
    bent = bend(arguments, truth, factor)
    fit = fit_astrometry(**arguments)
    assert fit.order == 3
    assert largest_error(fit.wcs, bent) < 0.1
    assert fit.scatter < 1.2 * NOISE * SCALE


def test_an_order_that_far_from_its_stars_may_be_wild_is_not_taken():
    """Stars in a corner show distortion there, and tell nothing of the other corner."""
    arguments, truth = field(n=4000, contamination=0.0)
    bend(arguments, truth, 8.0)
    near = (arguments["x"] < 800) & (arguments["y"] < 640)
    for name in ("x", "y", "flux"):
        arguments[name] = arguments[name][near]
    fit = fit_astrometry(**arguments, max_shear=0.1)
    assert fit.n_star > 60
    assert fit.order < 3


def test_the_order_is_limited():
    arguments, _ = field(n=600, distorted=True)
    assert fit_astrometry(**arguments, max_order=2).order == 2


def test_distortion_that_is_known_is_kept():
    arguments, truth = field(n=100, distorted=True)
    arguments["wcs"] = TanSipWcs(truth.crval, (1020.0, 690.0), truth.cd, truth.a, truth.b)
    fit = fit_astrometry(**arguments)
    assert fit.order == 1
    assert largest_error(fit.wcs, truth) < 0.03


def test_the_tangent_point_may_lie_outside_the_detector():
    arguments, truth = field(n=600, distorted=True)
    wcs = arguments["wcs"]
    ra, dec = wcs.pixel_to_sky(x=9000.0, y=700.0)
    x, y = np.meshgrid(np.linspace(0, 2047, 9), np.linspace(0, 1360, 9))
    east, north = TanSipWcs((float(ra), float(dec)), (9000.0, 700.0), wcs.cd).sky_to_pixel(
        ra=wcs.pixel_to_sky(x=x, y=y)[0], dec=wcs.pixel_to_sky(x=x, y=y)[1]
    )
    shift = float(np.median(east - x)), float(np.median(north - y))
    arguments["wcs"] = TanSipWcs((float(ra), float(dec)), (9000.0 - shift[0], 700.0 - shift[1]), wcs.cd)
    assert largest_error(fit_astrometry(**arguments).wcs, truth) < 0.05


def test_matches_and_their_separations_belong_together():
    arguments, _ = field(offset=(20.0, 10.0))
    fit = fit_astrometry(**arguments)
    _, dec = fit.wcs.pixel_to_sky(x=arguments["x"][fit.matches.first], y=arguments["y"][fit.matches.first])
    north = 3600 * (dec - arguments["ref_dec"][fit.matches.second])
    assert (np.abs(north) <= fit.matches.separation + 1e-9).all()
    assert len(fit.matches) == len(fit.used) >= fit.n_star


def test_unrelated_lists_fail_honestly():
    for seed in range(10):
        arguments, _ = field(seed=seed)
        other, _ = field(seed=seed + 100)
        arguments |= {name: other[name] for name in ("ref_ra", "ref_dec", "ref_flux")}
        with pytest.raises(MeasurementError, match=r"no pattern of the .* reference stars stands out"):
            fit_astrometry(**arguments)


def test_an_error_beyond_the_limits_fails():
    arguments, _ = field(offset=(200.0, 0.0))
    with pytest.raises(MeasurementError, match="no astrometry"):
        fit_astrometry(**arguments, max_offset=100.0)


def test_too_few_stars_fail():
    arguments, _ = field(n=300)
    arguments |= {name: arguments[name][:4] for name in ("ref_ra", "ref_dec", "ref_flux")}
    with pytest.raises(MeasurementError, match="reference stars on the detector, 5 of each are needed"):
        fit_astrometry(**arguments)


def test_a_catalog_that_does_not_cover_the_frame_fails():
    arguments, _ = field()
    arguments["ref_ra"] = arguments["ref_ra"] + 20.0
    with pytest.raises(MeasurementError, match="and 0 reference stars on the detector"):
        fit_astrometry(**arguments)


def test_an_empty_catalog_fails():
    arguments, _ = field()
    arguments |= {"ref_ra": [], "ref_dec": [], "ref_flux": []}
    with pytest.raises(MeasurementError, match="and 0 reference stars on the detector"):
        fit_astrometry(**arguments)


def test_too_much_scatter_fails():
    arguments, _ = field()
    rng = np.random.default_rng(0)
    for name in "xy":
        arguments[name] = arguments[name] + rng.normal(0, 1.0, len(arguments[name]))
    with pytest.raises(MeasurementError, match=r"scatter by 0.3.. arcsec, more than 0.198"):
        fit_astrometry(**arguments, max_scatter=0.005)


def test_sheared_axes_fail():
    arguments, truth = field()
    arguments["wcs"] = TanSipWcs(truth.crval, truth.crpix, truth.cd @ np.array([[1.0, 0.002], [0.0, 1.0]]))
    with pytest.raises(MeasurementError, match=r"its axes are sheared by 0.002., more than 0.001"):
        fit_astrometry(**arguments, max_shear=0.001)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (40.0, -60.0)])
def test_a_real_frame_is_as_good_as_the_atmosphere_lets_it_be(shared_data, shift):
    folder = shared_data / "sdss_stripe82"
    with gzip.open(folder / "expected/lsst-stack-4192-gr.txt.gz", "rt") as lines:
        names = next(lines)[1:].split()
        table = {
            name: np.array(column) for name, column in zip(names, zip(*map(str.split, lines), strict=True), strict=True)
        }
    in_r = (table["id"].astype(np.int64) >> 26) // 100_000 == 41922
    x, y, flux, ra = (
        table[name][in_r].astype(float)
        for name in ("base_SdssCentroid_x", "base_SdssCentroid_y", "base_PsfFlux_instFlux", "coord_ra")
    )
    shards = [fits.getdata(path) for path in sorted((folder / "ref_cats/sdss_demo_ref_cat").glob("1*.fits"))]
    ref_ra, ref_dec, ref_flux = (
        np.concatenate([shard[name] for shard in shards]) for name in ("coord_ra", "coord_dec", "r_flux")
    )
    wcs = TanSipWcs.from_header(fits.getheader(folder / "4192/40/corr/4/fpC-004192-r4-0300.fit.gz"))
    fit = fit_astrometry(
        x=x,
        y=y,
        flux=flux,
        ref_ra=np.degrees(ref_ra),
        ref_dec=np.degrees(ref_dec),
        ref_flux=ref_flux,
        wcs=wcs.shifted(x=shift[0], y=shift[1]),
        shape=SHAPE,
    )
    assert fit.n_star > 70
    assert fit.predicted_scatter < 0.03
    assert fit.offset == pytest.approx(SCALE * np.hypot(*shift), abs=0.1)
    error = 3600 * (fit.wcs.pixel_to_sky(x=x, y=y)[0] - ra)
    assert np.nanmedian(np.abs(error)) < 0.03


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [120, 300])
def test_a_catalog_of_half_of_the_frame_is_extrapolated_as_far_as_its_stars_decide(n, seed):
    arguments, truth = field(n=n, seed=seed, distorted=True)
    x, _ = truth.sky_to_pixel(ra=arguments["ref_ra"], dec=arguments["ref_dec"])
    for name in ("ref_ra", "ref_dec", "ref_flux"):
        arguments[name] = arguments[name][x < 0.5 * SHAPE[1]]
    fit, reason = None, ""
    try:
        fit = fit_astrometry(**arguments)
    except MeasurementError as error:
        reason = str(error)
    assert ("the reference catalog has no stars on" in reason) is (fit is None)
    assert fit is None or fit.coverage.outside > 0.2
    assert fit is None or largest_error(fit.wcs, truth) < 2.0 * SCALE
