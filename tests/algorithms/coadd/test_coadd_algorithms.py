import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from obs.algorithms.coadd.artifacts import ArtifactLimits, find_artifacts
from obs.algorithms.coadd.backgrounds import match_backgrounds, sky_of_cells
from obs.algorithms.coadd.combine import combine_rows
from obs.algorithms.coadd.order import lower_median, sort_planes
from obs.algorithms.coadd.position_map import map_positions
from obs.algorithms.coadd.psf import psf_tolerances
from obs.algorithms.coadd.resample import ResamplingKernel, resample_rows


def star(shape, x, y, sigma):
    rows, columns = np.indices(shape)
    return np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / sigma**2) / (2 * np.pi * sigma**2)


def resampled(image, transform, shape):
    positions = map_positions(transform, shape)
    nothing = np.ones_like(image), np.zeros(image.shape, np.int32)
    blocks = list(resample_rows(image, *nothing, positions, outside=1, kernel=ResamplingKernel()))
    return [np.concatenate([block[plane] for block in blocks]) for plane in (2, 3, 4)]


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.2, np.pi / 2])
@pytest.mark.parametrize(("scale", "tolerance"), [(0.99, 1e-4), (1.0, 1e-4), (1.02, 1e-4), (1.15, 1e-3), (0.9, 1e-3)])
def test_resampling_keeps_flux_and_place(angle, scale, tolerance):
    image = (1e4 * star((80, 90), 44.3, 39.6, 1.7)).astype(np.float32)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)

    def transform(x, y):
        return cos * (x - 50) - sin * (y - 48) + 44.3, sin * (x - 50) + cos * (y - 48) + 39.6

    pixels, variance, mask = resampled(image, transform, (97, 101))
    assert pixels.sum() == pytest.approx(1e4, rel=tolerance)
    rows, columns = np.indices(pixels.shape)
    assert (pixels * columns).sum() / pixels.sum() == pytest.approx(50, abs=2e-3)
    assert (pixels * rows).sum() / pixels.sum() == pytest.approx(48, abs=2e-3)
    np.testing.assert_allclose(variance[mask == 0], scale**2, rtol=1e-5)
    assert not pixels[mask == 1].any()


@pytest.mark.parametrize("angle", [0.03, 0.78])
@pytest.mark.parametrize("scale", [0.5, 0.9, 1.2, 1.5, 2.0, 3.0])
def test_variances_are_those_of_smooth_sums_whatever_the_pixels_are(scale, angle):
    """A grid that is turned by 45 degrees takes each input pixel in at more places than one along rows."""
    image = np.random.default_rng(1).normal(size=(300, 300)).astype(np.float32)
    size, (cos, sin) = int(200 / scale), scale * np.array([np.cos(angle), np.sin(angle)])

    def transform(x, y):
        x, y = x - size / 2, y - size / 2
        return cos * x - sin * y + 150.2, sin * x + cos * y + 150.3

    pixels, variance, mask = resampled(image, transform, (size, size))
    assert not mask.any()
    width = max(2.0, 2.5 / scale)
    sums = gaussian_filter(pixels, width, mode="wrap")[8:-8, 8:-8]
    expected = variance.mean() / (4 * np.pi * width**2)
    number = sums.size / (4 * np.pi * width**2)
    assert sums.var() / expected == pytest.approx(1, abs=3 * np.sqrt(2 / number) + 0.02)


@pytest.mark.parametrize("kind", ["star", "lanczos"])
@pytest.mark.parametrize("order", [2, 3, 5])
def test_weights_of_the_kernel(kind, order):
    weights = ResamplingKernel(kind, order).weights()
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-6)
    np.testing.assert_allclose(weights[:, 0], np.arange(2 * order) == order - 1, atol=1e-6)


def test_positions_are_right_to_a_hundredth_of_a_pixel():
    def transform(x, y):
        return x + 3e-5 * x**2 + 7 * np.sin(y / 90), y + 2e-5 * x * y

    positions = map_positions(transform, (300, 500))
    x, y, area = positions.rows(40, 260)
    columns, rows = np.meshgrid(np.arange(500.0), np.arange(40.0, 260.0))
    true_x, true_y = transform(columns, rows)
    assert positions.step > 1
    assert np.hypot(x - true_x, y - true_y).max() < 0.0142
    jacobian = (1 + 6e-5 * columns) * (1 + 2e-5 * columns) - 2e-5 * rows * 7 / 90 * np.cos(rows / 90)
    np.testing.assert_allclose(area, jacobian, rtol=3e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 21])
def test_planes_are_sorted(count):
    values = np.random.default_rng(count).normal(size=(count, 5, 6)).astype(np.float32)
    ordered = values.copy()
    sort_planes(ordered)
    np.testing.assert_array_equal(ordered, np.sort(values, axis=0))


def test_lower_median():
    values = np.array([5.0, 1.0, 9.0, 3.0], np.float32)[:, None, None]
    usable = np.ones((4, 1, 1), bool)
    assert lower_median(values, usable)[0, 0] == 3
    usable[1] = False
    assert lower_median(values, usable)[0, 0] == 5
    assert lower_median(values, usable & False)[0, 0] == 0


def test_skies_of_overlapping_exposures_agree():
    rng = np.random.default_rng(3)
    y, x = np.meshgrid(np.linspace(-1, 1, 14), np.linspace(-1, 1, 16), indexing="ij")
    planes = rng.normal(size=(4, 3)) * 5
    sky = 3 + x * y
    levels = planes[:, 0, None, None] + planes[:, 1, None, None] * x + planes[:, 2, None, None] * y + sky
    levels += rng.normal(size=levels.shape) * 0.05
    levels[0, :, 9:] = np.nan
    levels[1, :, :7] = np.nan
    levels[2, 3, 4] += 50  # a galaxy
    weights = np.array([1.0, 2.0, 1.0, 0.5])
    found = match_backgrounds(levels, weights)
    np.testing.assert_allclose(weights @ found, 0, atol=1e-9)
    common = (weights[:, None] * planes).sum(axis=0) / weights.sum()
    np.testing.assert_allclose(found, planes - common, atol=0.05)


def test_skies_that_share_nothing_stay():
    levels = np.full((2, 4, 4), np.nan)
    levels[0, :2], levels[1, 2:] = 1.0, 7.0
    assert not match_backgrounds(levels, np.ones(2)).any()


def test_sky_of_cells():
    samples = np.full((40, 50), 2.0, np.float32)
    samples[:20, :20] = np.nan
    levels = sky_of_cells(samples, 20)
    assert levels.shape == (2, 3)
    assert np.isnan(levels[0, 0])
    assert levels[1, 1] == 2.0


@pytest.fixture
def exposures():
    """Six exposures of stars with different seeing; the third has a trail and a cosmic ray."""
    rng = np.random.default_rng(11)
    shape = 120, 130
    sigmas = [1.2, 1.4, 1.6, 1.3, 2.0, 1.5]
    places = [(30.2, 40.7, 3e5), (80.4, 60.1, 2e4), (60.0, 100.6, 4e3)]
    skies = np.stack([sum(flux * star(shape, x, y, sigma) for x, y, flux in places) for sigma in sigmas])
    variances = 100 + skies
    values = skies + rng.normal(size=skies.shape) * np.sqrt(variances)
    rows, columns = np.indices(shape)
    trail = 110 * np.exp(-0.5 * ((rows - 0.5 * columns - 5) / 2.2) ** 2)
    values[2] += trail
    values[2, 90:92, 20:22] += 400
    hit = trail > 50
    hit[90:92, 20:22] = True
    near = np.zeros(shape, bool)
    for x, y, _ in places:
        near |= np.hypot(columns - x, rows - y) < 9
    stamps = [star((31, 31), 15, 15, sigma) for sigma in sigmas]
    return values.astype(np.float32), variances.astype(np.float32), hit, near, stamps


def test_artifacts_are_found_and_stars_are_not(exposures):

    values, variances, hit, near, stamps = exposures
    usable = np.ones(values.shape, bool)
    tolerances = psf_tolerances(stamps, 2)
    found = find_artifacts(values, variances, usable, tolerances, 2, ArtifactLimits())
    assert found[2][hit & ~near].mean() > 0.995
    others = np.delete(found, 2, axis=0)
    assert others.mean() < 1e-3
    assert not others[:, near].any()


def test_one_exposure_has_no_artifacts():
    values = np.full((1, 5, 5), 1e6, np.float32)
    found = find_artifacts(values, values, values > 0, np.zeros((1, 2), np.float32), 1, ArtifactLimits())
    assert not found.any()


def test_of_two_exposures_the_brighter_one_has_the_artifact():
    values = np.zeros((2, 20, 20), np.float32)
    values[1, 5:8, 5:8] = 50
    noise = np.ones_like(values)
    found = find_artifacts(values, noise, noise > 0, np.full((2, 2), 0.1, np.float32), 1, ArtifactLimits(grow=0))
    assert not found[0].any()
    assert found[1].sum() == 9


@pytest.mark.parametrize("n", [3, 7])
def test_a_variable_star_stays_and_what_falls_on_it_goes(n):
    """A star four times as bright, and one that fades; a trail and a cosmic ray over stars."""
    rng = np.random.default_rng(4)
    sigmas = np.linspace(1.4, 1.7, 7)[:n]
    places = (20.2, 19.7), (60.4, 20.1), (20.3, 60.2), (60.1, 59.8)
    stamps = [star((31, 31), 15, 15, sigma).astype(np.float32) for sigma in sigmas]
    stars = np.array([[3000 * star((80, 80), *place, sigma) for place in places] for sigma in sigmas])
    stars[1, 0] *= 4
    stars[1, 1] *= 0.3
    values = stars.sum(axis=1)
    rows, columns = np.indices((80, 80))
    trail = np.exp(-0.5 * (rows - columns - 0.3) ** 2 / 2) * (rows > 45) * 200
    values[1] += trail
    values[1, 60, 20] += 500
    variances = (4 + values / 4).astype(np.float32)
    values = (values + rng.normal(size=values.shape) * np.sqrt(variances)).astype(np.float32)
    found = find_artifacts(values, variances, values < 1e9, psf_tolerances(stamps, 2), 2, ArtifactLimits())
    assert not found[:, :42, :].any()
    assert found[1, 60, 20]
    assert found[1][(trail > 50) & (np.hypot(rows - 60, columns - 60) > 6)].mean() > 0.95
    assert np.delete(found, 1, axis=0).mean() < 1e-3


def exposures_of(flux, noisy=None):
    """The light of a source whose flux and place in each exposure are given, and the artifacts found."""
    rng = np.random.default_rng(4)
    sigmas = rng.permutation(np.linspace(1.3, 1.6, len(flux)))
    stamps = [star((31, 31), 15, 15, sigma).astype(np.float32) for sigma in sigmas]
    light = np.array([one * star((50, 50), x, y, sigma) for (one, x, y), sigma in zip(flux, sigmas, strict=True)])
    variances = (100 + light / 2).astype(np.float32)
    if noisy is not None:
        variances[noisy] *= 2.6**2
    values = (light + rng.normal(size=light.shape) * np.sqrt(variances)).astype(np.float32)
    return light, find_artifacts(values, variances, values < 1e9, psf_tolerances(stamps, 2), 2, ArtifactLimits())


@pytest.mark.parametrize(("step", "flux", "left"), [(2, 3000, 0.2), (2, 1000, 0.25), (4, 800, 0.25), (8, 30000, 0.1)])
def test_objects_that_move_slowly_and_faint_ones_are_artifacts(step, flux, left):
    light, found = exposures_of([(flux, 25 + step * (k - 3) * 0.8, 25 + step * (k - 3) * 0.6) for k in range(7)])
    assert (light * ~found).sum() < left * light.sum()
    assert not found.all(axis=0).any()


@pytest.mark.parametrize("factors", [(0, 1, 0, 0, 1, 1, 0), (1, 0, 1, 1, 0, 1, 0), (0.3, 3, 0.3, 0.3, 1, 0.5, 0.3)])
@pytest.mark.parametrize("flux", [1000, 3000])
def test_a_new_star_in_half_of_the_exposures_keeps_its_mean(factors, flux):
    _, found = exposures_of([(flux * factor, 25.3, 24.8) for factor in factors])
    assert not found.any()


@pytest.mark.parametrize("flux", [2000, 3000])
def test_an_exposure_with_more_noise_keeps_a_new_star_that_others_have(flux):
    _, found = exposures_of([(flux * (k > 8), 25.3, 24.8) for k in range(18)], noisy=16)
    assert not found.any()


@pytest.mark.parametrize(("n", "flux", "noisy"), [(8, 1000, None), (10, 1000, 8), (18, 1000, None), (18, 3000, None)])
@pytest.mark.parametrize("order", [1, -1])
def test_a_star_in_exactly_half_of_the_exposures_stays_and_so_do_those_without(n, flux, noisy, order):
    _, found = exposures_of([(flux * (k >= n // 2), 25.3, 24.8) for k in range(n)][::order], noisy)
    assert not found.any()


@pytest.mark.parametrize("statistic", ["mean", "clipped", "median"])
def test_combination(statistic):
    rng = np.random.default_rng(8)
    sigma = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], np.float32)[:, None, None]
    values = (7 + rng.normal(size=(6, 60, 60)) * sigma).astype(np.float32)
    usable = np.ones(values.shape, bool)
    usable[:4, :5] = False
    usable[:, 50:, 50:] = False
    result = combine_rows(values, np.broadcast_to(sigma**2, values.shape), usable, np.ones(6, np.float32), statistic)
    whole = np.s_[5:50]
    np.testing.assert_array_equal(result.count[:5], 2)
    assert not result.count[50:, 50:].any()
    assert np.isinf(result.variance[50:, 50:]).all()
    pulls = (result.image[whole] - 7) / np.sqrt(result.variance[whole])
    assert np.mean(pulls) == pytest.approx(0, abs=0.06)
    assert np.std(pulls) == pytest.approx(1, abs=0.12)


def test_clipping_leaves_out_an_outlier():
    values = np.ones((5, 1, 1), np.float32)
    values[3] = 100
    result = combine_rows(values, np.full_like(values, 0.01), values > 0, np.ones(5, np.float32), "clipped")
    assert result.image[0, 0] == pytest.approx(1.0)
    assert result.count[0, 0] == 4
