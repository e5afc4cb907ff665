import numpy as np
import pytest
from scipy import ndimage

from obs.algorithms.pixels.smoothing import gaussian_kernel, smooth

SHAPE = (120, 150)
SIGMA = 1.5


def noise(seed=0, sigma=1.0, shape=SHAPE):
    return np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 1.7, 4.2])
def test_the_kernel_is_odd_and_adds_up_to_one(sigma):
    kernel = gaussian_kernel(sigma)
    assert len(kernel) % 2 == 1
    assert len(kernel) == pytest.approx(7 * sigma, abs=1.5)
    assert kernel.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(kernel, kernel[::-1])


def test_smoothing_is_correlation_with_the_kernel():
    image = noise()
    found = smooth(image, SIGMA)
    kernel = gaussian_kernel(SIGMA)
    expected = ndimage.correlate(image.astype(float), np.outer(kernel, kernel), mode="constant")
    np.testing.assert_allclose(found.image[found.inner], expected[found.inner], atol=1e-6)
    outside = np.ones(SHAPE, bool)
    outside[found.inner] = False
    assert not found.image[outside].any()
    assert found.margin == len(kernel) // 2


@pytest.mark.parametrize("shape", [(1, 1), (4, 200), (200, 4), (10, 10)])
def test_an_image_smaller_than_the_kernel_is_nowhere_known(shape):
    found = smooth(np.ones(shape, np.float32), SIGMA)
    assert found.image.shape == shape
    assert not found.image.any()


def test_out_to_the_border_the_noise_stays_the_same():
    kernel = gaussian_kernel(SIGMA)
    found = [smooth(noise(seed), SIGMA, to_border=True) for seed in range(300)]
    assert found[0].margin == 0
    # each pixel's standard deviation over 300 images is known to 1 / sqrt(600)
    spread = np.std([one.image for one in found], axis=0) / (kernel**2).sum()
    for border in (spread[0], spread[-1], spread[:, 0], spread[:, -1], spread[2], spread[:, -3]):
        assert border.mean() == pytest.approx(1.0, abs=0.02)
    assert spread[:3, :3].mean() == pytest.approx(1.0, abs=0.1)


def test_out_to_the_border_the_middle_is_as_ever():
    image = noise()
    plain, whole = smooth(image, SIGMA), smooth(image, SIGMA, to_border=True)
    inner = (slice(plain.margin * 2, -plain.margin * 2),) * 2
    np.testing.assert_allclose(whole.image[inner], plain.image[inner], rtol=1e-6)


def test_many_blocks_of_rows_are_one_image():
    image = noise(shape=(700, 400))
    kernel = gaussian_kernel(SIGMA)
    expected = ndimage.correlate(image.astype(float), np.outer(kernel, kernel), mode="constant")
    found = smooth(image, SIGMA)
    np.testing.assert_allclose(found.image[found.inner], expected[found.inner], atol=1e-6)
