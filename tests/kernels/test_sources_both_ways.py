"""Moments and stamps, compiled and with numpy."""

from dataclasses import fields

import numpy as np
import pytest

from obs.algorithms.measure.shape import measure_shape
from obs.algorithms.pixels.label import label_regions
from obs.algorithms.sources.deblend import Children
from obs.algorithms.sources.detection import Footprints, Peaks, find_peaks
from obs.algorithms.sources.stamps import StampCutter, list_sources


def stars(n=60, size=45, noise=1.0, seed=2):
    """Elliptical Gaussians of many widths and brightnesses: stamps, variance, centers."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size // 2
    dx, dy = generator.uniform(-0.5, 0.5, (2, n))
    a, ratio, angle = generator.uniform(0.9, 6.0, n), generator.uniform(0.4, 1.0, n), generator.uniform(0, np.pi, n)
    flux = 10.0 ** generator.uniform(1.5, 5.0, n)
    u, v = x[None] - dx[:, None, None], y[None] - dy[:, None, None]
    cosine, sine = (f(angle)[:, None, None] for f in (np.cos, np.sin))
    along, across = (u * cosine + v * sine) / a[:, None, None], (v * cosine - u * sine) / (a * ratio)[:, None, None]
    light = (flux / (2 * np.pi * a**2 * ratio))[:, None, None] * np.exp(-0.5 * (along**2 + across**2))
    image = (light + noise * generator.standard_normal(light.shape)).astype(np.float32)
    return image, np.full(image.shape, noise**2, np.float32), dx, dy


def assert_same(reference, compiled):
    np.testing.assert_array_equal(compiled.failed, reference.failed)
    np.testing.assert_array_equal(compiled.unfinished, reference.unfinished)
    for field in fields(reference):
        if field.name not in ("failed", "unfinished"):
            # the iteration ends at 1e-5, one step earlier or later where rounding decides
            one, other = getattr(compiled, field.name), getattr(reference, field.name)
            np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5, err_msg=field.name)


def test_moments(both):
    image, variance, dx, dy = stars()
    assert_same(*both(lambda: measure_shape(image, variance, dx, dy)))


def test_moments_from_the_psf_on(both):
    image, variance, dx, dy = stars()
    start = np.tile([2.0, 2.5, 0.3], (len(image), 1))
    reference, compiled = both(lambda: measure_shape(image, variance, dx, dy, start=start))
    assert_same(reference, compiled)
    assert (start == [2.0, 2.5, 0.3]).all()
    assert reference.failed.sum() < len(image) // 2


def test_moments_of_divided_pixels(both):
    image, variance, dx, dy = stars()
    start = np.tile([0.3, 0.3, 0.0], (len(image), 1))
    assert_same(*both(lambda: measure_shape(image, variance, dx, dy, start=start)))


def test_moments_of_what_has_none(both):
    image, variance, dx, dy = stars(8)
    image[0], image[1], image[2, 20, 20], image[3] = 0.0, -5.0, np.nan, np.nan
    variance[4], variance[5, 0, 0], variance[6] = np.nan, np.inf, 0.0
    start = np.tile([2.0, 2.0, 0.0], (8, 1))
    start[7] = np.nan
    with np.errstate(all="ignore"):
        assert_same(*both(lambda: measure_shape(image, variance, dx, dy, start=start)))


@pytest.mark.parametrize("size", [1, 3, 19])
def test_moments_in_small_stamps(both, size):
    image, variance, dx, dy = stars(5, size)
    assert_same(*both(lambda: measure_shape(image, variance, dx, dy, start=np.tile([2.0, 2.0, 0.1], (5, 1)))))


def test_moments_of_no_source(both):
    image, variance, dx, dy = stars(0)
    reference, _ = both(lambda: measure_shape(image, variance, dx, dy))
    assert len(reference.xx) == 0


@pytest.fixture(params=[np.int32, np.int64])
def cutter(request):
    generator = np.random.default_rng(5)
    image, variance = (generator.normal(10.0, 1.0, (30, 40)).astype(np.float32) for _ in range(2))
    labels = np.zeros((30, 40), np.int32)
    labels[2:9, 3:12], labels[20:30, 30:40], labels[12, 0] = 1, 2, 3
    peaks = Peaks(*(np.array(a, np.int64) for a in ([5, 35, 38, 0], [4, 25, 28, 12])), np.zeros(4, np.float32),
                  np.array([1, 2, 2, 3]))  # fmt: skip
    lit = np.flatnonzero(labels.ravel() == 2)
    pixel, start = (
        np.concatenate([lit, lit[::2]]).astype(request.param),
        np.array([0, len(lit), len(lit) + len(lit[::2])]),
    )
    children = Children(peaks.select(np.array([1, 2])), start, pixel, np.arange(len(pixel), dtype=np.float32),
                        np.zeros(2, bool))  # fmt: skip
    footprints = Footprints(labels, 3, peaks, 1.0)
    sources = list_sources(footprints, children)
    return StampCutter(image, variance, footprints, children, sources, noise=1.0, seed=1)


@pytest.mark.parametrize("half", [1, 6, 50])
def test_stamps(both, cutter, half):
    which = np.array([0, 1, 2, 3, 4, 2])
    shift_x, shift_y = np.array([0, 3, -2, 0, 60, 1]), np.array([0, 9, -14, 0, 0, 1])
    for chosen in (which, which[:0]):
        arguments = {"shift_x": shift_x[: len(chosen)], "shift_y": shift_y[: len(chosen)]}
        reference, compiled = both(lambda chosen=chosen, arguments=arguments: cutter.cut(chosen, half, **arguments))
        for name in ("image", "variance", "inside"):
            np.testing.assert_array_equal(getattr(compiled, name), getattr(reference, name))


@pytest.mark.parametrize("margin", [0, 1, 4])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (40, 61), (64, 64)])
def test_maxima(both, shape, margin):
    generator = np.random.default_rng(3)
    # few different values, so that many neighbors are equal
    image = generator.integers(0, 6, shape).astype(np.float32)
    above = np.zeros(shape, bool)
    inner = slice(margin, -margin or None)
    above[inner, inner] = image[inner, inner] > 2
    labels = label_regions(above)[0]
    reference, compiled = both(lambda: find_peaks(image, above, labels, margin))
    for field in fields(reference):
        np.testing.assert_array_equal(getattr(compiled, field.name), getattr(reference, field.name))
    assert len(reference) > 0 or min(shape) <= 2 * margin
