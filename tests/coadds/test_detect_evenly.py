"""Detection where one part of a coadd has fewer exposures than the other."""

import numpy as np
import pytest
from exposures import gaussian_psf

import obs
from obs.algorithms.coadd.point_sources import PointSourceSums
from obs.coadds.covered import covered_middle
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


def test_detection_on_sums_that_each_exposure_was_filtered_for():
    rng = np.random.default_rng(7)
    widths, noises = (2.5, 6.0), (2.0, 1.0)
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(40, 780, 40), np.arange(40, 380, 40)))
    psfs = [gaussian_psf(width) for width in widths]
    stamps = [psf.render(x=x[:1], y=y[:1])[0] for psf in psfs]
    sums = PointSourceSums(SHAPE, stamps, np.square(noises))
    mean, power = np.zeros(SHAPE, np.float32), sum(np.sum(s**2) / n**2 for s, n in zip(stamps, noises, strict=True))
    flux = 7.0 / np.sqrt(power)
    for number, (psf, noise) in enumerate(zip(psfs, noises, strict=True)):
        image = noise * rng.normal(size=SHAPE).astype(np.float32)
        for stamp, left, low in zip(psf.render(x=x, y=y), x.astype(int), y.astype(int), strict=True):
            half = stamp.shape[0] // 2
            image[low - half : low + half + 1, left - half : left + half + 1] += flux * stamp
        used = np.ones(SHAPE, bool)
        used[100, 200:210] = False
        for low in (0, 150):
            high = 150 if low == 0 else SHAPE[0]
            sums.add_rows(number, low, image[low:high], used[low:high])
        mean += image / noise**2 / np.float32(sum(1 / n**2 for n in noises))
    found, variance = sums.flux()
    row, column = y.astype(int), x.astype(int)
    assert found[row, column].mean() == pytest.approx(flux, rel=4 / 7 / np.sqrt(len(x)))
    score = found / np.sqrt(variance)
    blank = score[20 : SHAPE[0] : 40, 20 : SHAPE[1] : 40]
    assert blank.std() == pytest.approx(1.0, abs=0.2)
    config = DetectionConfig(noise="smoothed", reestimate_background=False)
    pixels = obs.MaskedImage(mean, obs.Mask.zeros(SHAPE), np.ones(SHAPE, np.float32))
    best, _ = detect_evenly(pixels, 1.5, config, BackgroundConfig(), score)
    near = np.hypot(best.peaks.x[:, None] - x, best.peaks.y[:, None] - y).min(axis=0) < 2.5
    assert near.mean() > 0.93
    assert len(best.peaks) - near.sum() <= 3


def test_the_background_is_that_of_the_image():
    pixels, _, _ = two_depths()
    pixels.image += np.float32(5.0)
    _, background = detect_evenly(pixels, SIGMA, DetectionConfig(noise="smoothed"), BackgroundConfig())
    assert background is not None
    assert abs(np.median(pixels.image[:, 410:])) < 0.02


def test_the_middle_of_a_corner_is_in_the_corner():
    covered = np.zeros((300, 400), bool)
    assert covered_middle(covered) is None
    covered[250:, 340:] = True
    covered[270:280, 360:380] = False  # the middle of what is covered is a hole
    x, y = covered_middle(covered)
    assert covered[int(y), int(x)]
    assert abs(x - 370) < 15
    assert abs(y - 275) < 15
