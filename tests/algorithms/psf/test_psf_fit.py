import gzip

import galsim
import numpy as np
import pytest
import sep
from astropy.io import fits

from obs.algorithms.photometry.surface_fit import fit_surface
from obs.algorithms.psf.fit import fit_psf
from obs.algorithms.psf.profile import cut_into_rings, moffat, stamp_radius
from obs.errors import MeasurementError
from obs.threads import use_threads

SHAPE = (1361, 2048)
SIZE = 31
SKY_VARIANCE = 50.0
GAIN = 2.0


def light(x, y, fwhm, *, centered=False):
    """Return the pixels of a star of flux one: a Moffat whose size and shape vary over the detector."""
    u, v = x / 1024 - 1, y / 680 - 1
    star = galsim.Moffat(beta=3.5, fwhm=fwhm * (1 + 0.05 * u + 0.03 * v**2)).shear(g1=0.03 * u, g2=0.02 * v)
    offset = (0.0, 0.0) if centered else (x - np.rint(x), y - np.rint(y))
    return (
        galsim.Convolve(star, galsim.Pixel(1.0))
        .drawImage(nx=SIZE, ny=SIZE, scale=1.0, method="no_pixel", offset=offset)
        .array
    )


def simulate(n, fwhm, *, seed=1, signal=(50, 1000), follows_noise=True, position_error=0.02):
    """Return stamps, variances and truth; positions are given with an error that does not change their pixel."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(20, SHAPE[1] - 20, n), rng.uniform(20, SHAPE[0] - 20, n)
    signal_to_noise = np.exp(rng.uniform(*np.log(signal), n))
    sky = 4 * np.pi * (fwhm / 2.355) ** 2 * SKY_VARIANCE
    flux = signal_to_noise**2 / (2 * GAIN) + np.sqrt(signal_to_noise**4 / (4 * GAIN**2) + signal_to_noise**2 * sky)
    stars = np.stack([f * light(*at, fwhm) for f, *at in zip(flux, x, y, strict=True)])
    inside = np.array([light(*at, fwhm, centered=True).sum() for at in zip(x, y, strict=True)])
    variance = SKY_VARIANCE + stars / GAIN
    stamps = (stars + rng.normal(size=stars.shape) * np.sqrt(variance)).astype(np.float32)
    if follows_noise:
        variance = np.maximum(SKY_VARIANCE + stamps / GAIN, 1.0)
    given = [np.rint(at) + np.clip(at - np.rint(at) + rng.normal(0, position_error, n), -0.499, 0.499) for at in (x, y)]
    return {
        "stamps": stamps,
        "variance": variance.astype(np.float32),
        "good": np.ones(stamps.shape, bool),
        "x": given[0],
        "y": given[1],
        "shape": SHAPE,
    }, {"x": x, "y": y, "flux": flux * inside, "signal_to_noise": signal_to_noise}


def moments_sigma(images):
    return np.array([galsim.hsm.FindAdaptiveMom(galsim.Image(np.array(im, float))).moments_sigma for im in images])


def every_fifth(n):
    return np.arange(n) % 5 == 0


@pytest.mark.parametrize("fwhm", [2.2, 2.6, 3.5, 5.0])
@pytest.mark.parametrize("follows_noise", [True, False])
def test_size_and_flux_of_reserved_stars_are_unbiased(fwhm, follows_noise):
    arguments, truth = simulate(150, fwhm, follows_noise=follows_noise)
    reserved = every_fifth(150)
    fit = fit_psf(**arguments, use=~reserved)
    assert not fit.used[reserved].any()
    assert fit.used.sum() > 0.95 * (~reserved).sum()
    at = {name: truth[name][reserved] for name in "xy"}
    model = fit.psf.render(**at)
    expected = np.stack([light(*position, fwhm) for position in zip(at["x"], at["y"], strict=True)])
    assert np.mean(moments_sigma(model) / moments_sigma(expected)) == pytest.approx(1.0, abs=0.003)
    expected /= expected.sum(axis=(1, 2), keepdims=True)
    photometry = np.sum(model * expected, axis=(1, 2)) / np.sum(model**2, axis=(1, 2))
    assert np.median(photometry) == pytest.approx(1.0, abs=0.003)
    bright = reserved & (truth["signal_to_noise"] > 200)
    # a model of whole pixels loses 0.3 % between them at 2.6 pixels
    assert np.median(fit.flux[bright] / truth["flux"][bright]) == pytest.approx(1.0, abs=0.0035)


def test_the_fit_says_how_good_it_is():
    arguments, truth = simulate(150, 3.0)
    fit = fit_psf(**arguments)
    with use_threads(2):
        shared = fit_psf(**arguments)
    np.testing.assert_array_equal(shared.psf.basis, fit.psf.basis)
    np.testing.assert_array_equal(shared.chi2, fit.chi2)
    assert fit.psf.n_star == fit.used.sum()
    assert 0.7 < fit.psf.chi2 < 1.1
    # a Moffat of 3 pixels seen by pixels of 1
    assert fit.psf.fwhm == pytest.approx(3.12, abs=0.05)
    pull = (fit.flux - truth["flux"]) / fit.flux_err
    assert 0.8 < 1.4826 * np.median(np.abs(pull - np.median(pull))) < 1.4


def test_positions_are_refined():
    arguments, truth = simulate(120, 3.0, position_error=0.1)
    fit = fit_psf(**arguments)
    bright = truth["signal_to_noise"] > 200
    # of an error common to all nothing can be known
    assert np.std((fit.x - truth["x"])[bright]) < 0.03
    assert np.std((arguments["x"] - truth["x"])[bright]) > 0.08


def test_the_degree_follows_the_number_of_stars():
    assert [fit_psf(**simulate(n, 3.0)[0]).psf.degree for n in (8, 30, 90)] == [0, 1, 2]


def test_a_psf_that_does_not_vary_gets_no_polynomial_although_stars_are_saturated():
    rng = np.random.default_rng(2)
    n = 90
    x, y = rng.uniform(20, SHAPE[1] - 20, n), rng.uniform(20, SHAPE[0] - 20, n)
    star = galsim.Gaussian(sigma=0.7)
    stamps = np.stack(
        [
            star.drawImage(nx=SIZE, ny=SIZE, scale=1.0, offset=(a - np.rint(a), b - np.rint(b))).array
            for a, b in zip(x, y, strict=True)
        ]
    )
    flux = np.exp(rng.uniform(np.log(3e3), np.log(3e6), n))
    stamps = np.minimum(flux[:, None, None] * stamps, 5e4 * (1 + 0.1 * rng.normal(size=stamps.shape)))
    variance = SKY_VARIANCE + stamps
    stamps = stamps + rng.normal(size=stamps.shape) * np.sqrt(variance)
    found = fit_psf(
        stamps.astype(np.float32),
        variance.astype(np.float32),
        np.ones(stamps.shape, bool),
        x=x,
        y=y,
        shape=SHAPE,
        use=~every_fifth(n),
    )
    grid = np.meshgrid(np.linspace(50, SHAPE[1] - 50, 4), np.linspace(50, SHAPE[0] - 50, 4))
    peaks = found.psf.evaluate(x=grid[0].ravel(), y=grid[1].ravel()).max((1, 2))
    truth = star.drawImage(nx=SIZE, ny=SIZE, scale=1.0).array.max()
    assert peaks == pytest.approx(np.full(16, truth), rel=0.05)


def test_stars_that_no_polynomial_follows_get_a_lower_degree():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(90, 110, 30), rng.uniform(20, 180, 30)
    # a plane through stars whose width doubles within a tenth of the frame has no light at its border
    sigma = 1.5 + 0.08 * (x - 90)
    radius = stamp_radius((SIZE, SIZE))
    profile = np.exp(-0.5 * (radius / sigma[:, None, None]) ** 2) / (2 * np.pi * sigma[:, None, None] ** 2)
    stamps = (1e6 * profile + rng.normal(0, 3.0, profile.shape)).astype(np.float32)
    variance, good = np.full(stamps.shape, 9.0, np.float32), np.ones(stamps.shape, bool)
    found = fit_psf(stamps, variance, good, x=np.rint(x), y=np.rint(y), shape=(200, 200), degree=1)
    assert found.psf.degree == 0
    assert np.isfinite(found.flux).all()


def test_degree_and_sampling_can_be_asked_for():
    fit = fit_psf(**simulate(40, 3.0)[0], degree=0, sampling=0.75)
    assert (fit.psf.degree, fit.psf.sampling) == (0, 0.75)
    assert fit.psf.stamp_shape == (SIZE, SIZE)


def test_narrow_stars_get_a_finer_model():
    assert fit_psf(**simulate(60, 1.6)[0]).psf.sampling < 1.0
    assert fit_psf(**simulate(60, 3.0)[0]).psf.sampling == 1.0


@pytest.mark.parametrize("fwhm", [2.5, 3.5])
def test_neighbors_and_galaxies_do_not_spoil_the_model(fwhm):
    arguments, truth = simulate(150, fwhm)
    rng, reserved = np.random.default_rng(5), every_fifth(150)
    middle = truth["x"][0] * 0 + SHAPE[1] / 2, SHAPE[0] / 2
    pattern = light(*middle, fwhm, centered=True)
    for i in np.flatnonzero(rng.uniform(size=150) < 0.4):
        distance, angle = rng.uniform(2.5 * fwhm, 14), rng.uniform(0, 2 * np.pi)
        shift = np.rint([distance * np.sin(angle), distance * np.cos(angle)]).astype(int)
        arguments["stamps"][i] += rng.uniform(0.01, 0.5) * truth["flux"][i] * np.roll(pattern, shift, axis=(0, 1))
    galaxy = np.zeros(150, bool)
    galaxy[np.flatnonzero(~reserved & (truth["signal_to_noise"] > 150))[::8]] = True
    profile = galsim.Convolve(
        galsim.Moffat(beta=3.5, fwhm=fwhm), galsim.Pixel(1.0), galsim.Exponential(half_light_radius=0.25 * fwhm)
    ).drawImage(nx=SIZE, ny=SIZE, scale=1.0, method="no_pixel")
    noise = rng.normal(0, np.sqrt(SKY_VARIANCE), (int(galaxy.sum()), SIZE, SIZE))
    arguments["stamps"][galaxy] = truth["flux"][galaxy, None, None] * profile.array + noise
    arguments["variance"] = np.maximum(SKY_VARIANCE + arguments["stamps"] / GAIN, 1.0)
    fit = fit_psf(**arguments, use=~reserved)
    assert (fit.used & galaxy).sum() <= 0.3 * galaxy.sum()
    at = {name: truth[name][reserved] for name in "xy"}
    expected = np.stack([light(*position, fwhm) for position in zip(at["x"], at["y"], strict=True)])
    assert np.mean(moments_sigma(fit.psf.render(**at)) / moments_sigma(expected)) == pytest.approx(1.0, abs=0.005)


def test_masked_pixels_do_not_matter():
    arguments, truth = simulate(60, 3.0)
    rng = np.random.default_rng(2)
    bad = rng.uniform(size=arguments["good"].shape) < 0.1
    bad[:, 12:19, 12:19] = False
    arguments["good"] = ~bad
    clean = fit_psf(**arguments)
    arguments["stamps"][bad], arguments["variance"][bad] = np.nan, 0.0
    spoiled = fit_psf(**arguments)
    assert np.array_equal(clean.psf.basis, spoiled.psf.basis)
    assert np.median(clean.flux / truth["flux"]) == pytest.approx(1.0, abs=0.01)


def test_a_background_that_is_left_can_be_fitted():
    arguments, truth = simulate(120, 4.0)
    left = np.random.default_rng(3).uniform(-20, 20, 120).astype(np.float32)
    arguments["stamps"] += left[:, None, None]
    fit = fit_psf(**arguments, fit_offset=True)
    assert np.nanstd(fit.offset - left) < 0.6
    bright = (truth["signal_to_noise"] > 200) & np.isfinite(fit.flux)
    # without the light that the wings have at the border of the stamps, 0.995
    assert np.median(fit.flux[bright] / truth["flux"][bright]) == pytest.approx(1.0, abs=0.002)


def test_a_saturated_core_leaves_the_star_out():
    arguments, _ = simulate(30, 3.0)
    arguments["good"][4, 15, 15] = False
    fit = fit_psf(**arguments)
    assert not fit.used[4]
    assert np.isnan([fit.flux[4], fit.chi2[4], fit.x[4]]).all()
    assert np.isfinite(np.delete(fit.flux, 4)).all()


def test_inputs_are_left_alone():
    arguments, _ = simulate(20, 3.0)
    before = {name: value.copy() for name, value in arguments.items() if name != "shape"}
    fit_psf(**arguments)
    assert all(np.array_equal(arguments[name], value) for name, value in before.items())


def test_too_few_stars_fail():
    arguments, _ = simulate(5, 3.0)
    with pytest.raises(MeasurementError, match="no PSF: 2 usable stars, 3 are needed"):
        fit_psf(**arguments, use=[True, True, False, False, False])


def test_no_star_at_all_fails():
    arguments, _ = simulate(5, 3.0)
    none = {name: value[:0] for name, value in arguments.items() if name != "shape"}
    with pytest.raises(MeasurementError, match="no PSF: 0 usable stars"):
        fit_psf(**none, shape=SHAPE)


def test_arrays_that_do_not_belong_together_are_refused():
    arguments, _ = simulate(5, 3.0)
    with pytest.raises(ValueError, match=r"stamps \(5, 31, 31\), .* and 4 positions do not match"):
        fit_psf(**(arguments | {"x": arguments["x"][:4]}))


def test_stamps_of_even_size_are_refused():
    arguments, _ = simulate(5, 3.0)
    planes = {name: arguments[name][:, 1:] for name in ("stamps", "variance", "good")}
    with pytest.raises(ValueError, match="stamps have odd sizes, got 30 x 31"):
        fit_psf(**(arguments | planes))


def test_a_profile_is_smoothed_along_its_own_ellipses():
    radius = stamp_radius((31, 31))
    clean = light(1024.0, 680.0, 4.0, centered=True).astype(np.float32)
    noisy = clean + np.random.default_rng(1).normal(0, 2e-5, clean.shape).astype(np.float32)
    far = radius > 8
    smooth = cut_into_rings(noisy).profile()
    assert np.std((smooth - clean)[far]) < 0.3 * np.std((noisy - clean)[far])
    assert smooth.sum() == pytest.approx(noisy.sum(), rel=0.003)


def test_a_moffat_profile_halves_at_half_its_width():
    assert moffat(np.array([0.0, 2.0]), 4.0) == pytest.approx([1.0, 0.5])


@pytest.mark.parametrize(("band", "bit_band", "gain"), [("r", 2, 4.76), ("g", 1, 3.995)])
def test_a_real_frame_gives_the_fluxes_that_another_pipeline_found(shared_data, band, bit_band, gain):
    folder = shared_data / "sdss_stripe82"
    with gzip.open(folder / "expected/lsst-stack-4192-gr.txt.gz", "rt") as lines:
        names = next(lines)[1:].split()
        table = {
            name: np.array(column) for name, column in zip(names, zip(*map(str.split, lines), strict=True), strict=True)
        }
    frame = (table["id"].astype(np.int64) >> 26) // 100_000 == 4192 * 10 + bit_band
    raw = fits.getdata(folder / f"4192/40/corr/4/fpC-004192-{band}4-0300.fit.gz")[:1361].astype(np.float32) - 1000
    image, variance = raw - sep.Background(raw, bw=256, bh=256).back(), raw / np.float32(gain)

    x, y, flux, error, extended = (
        table[name].astype(float)
        for name in (
            "base_SdssCentroid_x",
            "base_SdssCentroid_y",
            "base_PsfFlux_instFlux",
            "base_PsfFlux_instFluxErr",
            "base_ClassificationExtendedness_value",
        )
    )
    flagged = np.any(
        [table[name] == "True" for name in names if "Flags_flag" in name or "Centroid_flag" in name], axis=0
    )
    near_border = ~((x > 16) & (x < 2031) & (y > 16) & (y < 1344))
    star = np.flatnonzero(frame & ~flagged & ~near_border & (extended == 0) & (flux > 50 * error))
    x, y, flux, signal = x[star], y[star], flux[star], (flux / error)[star]
    around = np.arange(-15, 16)
    rows, columns = np.rint(y).astype(int)[:, None] + around, np.rint(x).astype(int)[:, None] + around
    pixels = rows[:, :, None], columns[:, None, :]
    fit = fit_psf(image[pixels], variance[pixels], np.ones((len(x), 31, 31), bool), x=x, y=y, shape=image.shape)

    model = fit.psf.render(x=x, y=y)
    ours = np.sum(model * image[pixels], axis=(1, 2)) / np.sum(model**2, axis=(1, 2))
    aperture = sep.sum_circle(image, x, y, 7.0)[0]
    used = fit.used & (signal > 100)
    correction = fit_surface(
        x[used], y[used], (aperture / ours)[used], 1 / signal[used], image.shape, order=2, clip=3.0, robust=True
    )
    ratio = ours * correction.surface.evaluate(x=x, y=y) / flux
    assert fit.used.sum() > 20
    assert np.median(ratio) == pytest.approx(1.0, abs=0.01)
    assert 1.4826 * np.median(np.abs(ratio - np.median(ratio))) < 0.015
