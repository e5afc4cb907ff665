"""A template whose PSF changes in a step, which no smooth kernel follows."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from obs.tasks.difference.psf_steps import missed_by_smooth_kernel

SHAPE = (400, 500)
WIDTH, OTHER, SIGMA = 1.6, 1.5, 2.0
BORDER = 420.0


def gaussians(sigma):
    offset = np.arange(-15, 16)
    profile = np.exp(-0.5 * (offset / np.asarray(sigma)[:, None]) ** 2)
    profile /= profile.sum(axis=1, keepdims=True)
    return (profile[:, :, None] * profile[:, None, :]).astype(np.float32)


def stars():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(20, SHAPE[1] - 20, 60), rng.uniform(20, SHAPE[0] - 20, 60)
    x, y = x[x < BORDER], y[x < BORDER]
    return x, y, np.ones(len(x))


def test_a_step_of_the_psf_is_the_share_of_light_that_is_left():
    share = missed_by_smooth_kernel(
        lambda x, y: gaussians(np.where(x < BORDER, WIDTH, OTHER)), stars(), SHAPE, 0, 1.0, SIGMA
    )
    widths = np.hypot(np.array([WIDTH, OTHER]), np.sqrt(SIGMA**2 - WIDTH**2))  # with the kernel
    wide, left = gaussians(widths)
    left, light = (gaussian_filter(part, SIGMA, mode="constant") for part in (left - wide, wide))
    inner = np.s_[10:21, 10:21]
    expected = np.sqrt(np.mean(left[inner] ** 2) / np.mean(light[inner] ** 2))
    assert share[:, 460:].mean() == pytest.approx(expected, rel=0.1)
    assert share[:, :380].max() < 1e-3


def test_a_kernel_that_varies_follows_what_changes_smoothly():
    def stamps(x, y):
        return gaussians(WIDTH + 0.1 * x / SHAPE[1])

    shares = [missed_by_smooth_kernel(stamps, stars(), SHAPE, order, 1.0, SIGMA).max() for order in (0, 1)]
    assert shares[0] > 0.01
    assert shares[1] < 0.1 * shares[0]


def test_without_stars_all_places_count():
    nothing = np.zeros(0)
    share = missed_by_smooth_kernel(
        lambda x, y: gaussians(np.full(len(x), WIDTH)), (nothing, nothing, nothing), SHAPE, 2, 1.0, SIGMA
    )
    assert share.shape == SHAPE
    assert share.max() < 1e-3
