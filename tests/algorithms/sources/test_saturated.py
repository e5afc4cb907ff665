import numpy as np
import pytest

from obs.algorithms.detector.interpolate import grow_plane, interpolate_pixels
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.sources.detection import find_footprints
from obs.algorithms.sources.saturated import restore_saturated
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from star_field import Moffat, draw, observe, pixel_psf

WELL = 4000.0
SHAPE = (150, 160)
# the first three are 1, 2 and 3 mag above saturation, the last one is not saturated
X, Y = np.array([40.3, 110.7, 45.1, 120.4]), np.array([38.6, 41.2, 108.9, 112.3])


def saturated_field(fwhm, trail):
    """Filled stars above the well, and the ones below; the trail is a column that bled."""
    profile = Moffat(fwhm)
    peak = draw((81, 81), [40.0], [40.0], [1.0], profile).max()
    flux = WELL / peak * 10 ** (0.4 * np.array([1.0, 2.0, 3.0, -1.0]))
    image, variance = observe(draw(SHAPE, X, Y, flux, profile), seed=3)
    image -= 100.0
    pixels = MaskedImage(image, Mask.zeros(SHAPE), variance)
    saturated = image > WELL
    if trail:
        for x, y in zip(X[:3], Y[:3], strict=True):
            saturated[int(y) - 20 : int(y) + 35, int(x)] = True
    pixels.mask.set(saturated, "SAT")
    image[saturated] = WELL
    grow_plane(pixels, "SAT", 1)
    interpolate_pixels(pixels, ("SAT",))
    found = find_footprints(smooth(pixels.image, fwhm / 2.355), threshold=10.0, n_grow=3)
    return pixels, found, pixel_psf(profile), flux


@pytest.mark.parametrize(("fwhm", "trail"), [(2.5, False), (2.5, True), (5.0, True)])
def test_the_core_is_the_psf_that_fits_around_it(fwhm, trail):
    pixels, found, psf, flux = saturated_field(fwhm, trail)
    before = pixels.image.copy()
    restored = restore_saturated(pixels.image, pixels.variance, pixels.mask, found, psf, fwhm=fwhm)
    np.testing.assert_array_equal(pixels.image, before)
    for x, y, light in zip(X[:3], Y[:3], flux, strict=False):
        rows, columns = (slice(round(v) - 3, round(v) + 4) for v in (y, x))
        truth = psf.render(x=[x], y=[y])[0]
        half = truth.shape[0] // 2
        truth = light * truth[half - 3 : half + 4, half - 3 : half + 4]
        np.testing.assert_allclose(restored.image[rows, columns], truth, atol=0.06 * truth.max())
        # the peaks on the rim have become one
        distance = np.hypot(restored.footprints.peaks.x - x, restored.footprints.peaks.y - y)
        assert np.count_nonzero(distance < max(3, fwhm)) == 1
        assert distance.min() <= 0.75
    whole = ~pixels.mask.any("SAT")
    np.testing.assert_array_equal(restored.image[whole], before[whole])
    np.testing.assert_array_equal(restored.variance[whole], pixels.variance[whole])
    core = restored.variance[round(Y[2]), round(X[2])]
    assert core > 10 * pixels.variance[round(Y[2]), round(X[2])]


def test_nothing_changes_without_a_saturated_star():
    pixels, found, psf, _ = saturated_field(2.5, trail=False)
    none = restore_saturated(pixels.image, pixels.variance, Mask.zeros(SHAPE), found, psf, fwhm=2.5)
    assert none.image is pixels.image
    assert none.footprints is found
    # a hot column has no star in it
    mask = Mask.zeros(SHAPE)
    hot = np.zeros(SHAPE, bool)
    hot[20:30, 118:123] = True
    mask.set(hot, "SAT")
    same = restore_saturated(pixels.image, pixels.variance, mask, found, psf, fwhm=2.5)
    assert same.image is pixels.image


def test_saturation_everywhere_is_no_star():
    pixels, found, psf, _ = saturated_field(2.5, trail=False)
    mask = Mask.zeros(SHAPE)
    mask.set(np.ones(SHAPE, bool), "SAT")
    assert restore_saturated(pixels.image, pixels.variance, mask, found, psf, fwhm=2.5).image is pixels.image
