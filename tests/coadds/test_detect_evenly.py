"""Detection where one part of a coadd has fewer exposures than the other."""

import numpy as np
from exposures import gaussian_psf

import obs
from obs.coadds.detect import detect_evenly
from obs.tasks.background import BackgroundConfig
from obs.tasks.detect import DetectionConfig, detect_sources

SHAPE = (400, 800)
SIGMA = 1.5


def two_depths():
    """An image whose left half has three times the noise of the right one, with stars of 12 sigma in both."""
    rng = np.random.default_rng(4)
    noise = np.where(np.arange(SHAPE[1]) < 400, 3.0, 1.0).astype(np.float32) * np.ones(SHAPE, np.float32)
    image = noise * rng.normal(size=SHAPE).astype(np.float32)
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(40, 780, 40), np.arange(40, 380, 40)))
    stamps = gaussian_psf(2.3548 * SIGMA).render(x=x, y=y)
    for stamp, left, low in zip(stamps, x.astype(int) - 12, y.astype(int) - 12, strict=True):
        flux = 12 * noise[low + 12, left + 12] / np.sqrt(np.sum(stamp**2))
        image[low : low + 25, left : left + 25] += flux * stamp
    return obs.MaskedImage(image, obs.Mask.zeros(SHAPE), noise**2), x, y


def test_the_threshold_follows_the_depth():
    pixels, x, _ = two_depths()
    config = DetectionConfig(noise="smoothed", reestimate_background=False)
    found, background = detect_evenly(pixels, SIGMA, config, BackgroundConfig())
    assert background is None
    left, right = np.count_nonzero(x < 400), np.count_nonzero(x >= 400)
    assert abs(np.count_nonzero(found.peaks.x < 400) - left) <= 2
    assert abs(np.count_nonzero(found.peaks.x >= 400) - right) <= 2
    # one threshold for all takes noise of the left half for stars
    one = detect_sources(two_depths()[0], SIGMA, config, BackgroundConfig()).footprints
    assert np.count_nonzero(one.peaks.x < 400) > 1.2 * left


def test_the_background_is_that_of_the_image():
    pixels, _, _ = two_depths()
    pixels.image += np.float32(5.0)
    _, background = detect_evenly(pixels, SIGMA, DetectionConfig(noise="smoothed"), BackgroundConfig())
    assert background is not None
    assert abs(np.median(pixels.image[:, 410:])) < 0.02
