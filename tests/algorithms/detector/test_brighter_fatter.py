import numpy as np
import pytest

from obs.algorithms.detector.brighter_fatter import correct_brighter_fatter, displaced_charge
from obs.errors import FileFormatError

N = 17


def kernel(strength=-4e-7):
    y, x = np.mgrid[-8:9, -8:9]
    return (strength * np.exp(-0.5 * (x**2 + y**2) / 4.0)).astype(np.float32)


def star(peak=60000.0, sigma=2.5, size=101):
    y, x = np.mgrid[:size, :size] - size // 2
    return (1000 + peak * np.exp(-0.5 * (x**2 + y**2) / sigma**2)).astype(np.float32)


def width(image):
    light = np.clip(image.astype(float) - 1000, 0, None)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] - image.shape[0] // 2
    return np.sqrt((light * (x**2 + y**2)).sum() / light.sum() / 2)


def test_a_broadened_star_is_narrowed_to_its_light():
    light = star()
    charge = light - displaced_charge(light, kernel())  # light that repelled itself on the way
    assert width(charge) > 1.005 * width(light)
    result = correct_brighter_fatter(charge, kernel(), threshold=1.0)
    assert result.change < 1.0
    assert charge + result.correction == pytest.approx(light, abs=1.0)


def test_charge_is_neither_made_nor_lost():
    for image in (star(), star() + np.random.default_rng(1).normal(0, 30, (101, 101)).astype(np.float32)):
        moved = displaced_charge(image, kernel())
        assert abs(moved.sum(dtype=float)) < 2e-3 * np.abs(moved).sum(dtype=float)


def test_displacement_is_half_the_divergence():
    y, x = np.mgrid[:80, :80].astype(np.float32)
    charge = (2000 + 5 * x + 3 * y + 0.05 * x**2 - 0.02 * x * y).astype(np.float32)
    delta = np.zeros((N, N), np.float32)
    delta[8, 8] = 1e-6
    expected = 0.5 * 1e-6 * ((5 + 0.1 * x - 0.02 * y) ** 2 + (3 - 0.02 * x) ** 2 + charge * 0.1)
    inner = slice(10, -10)
    assert displaced_charge(charge, delta)[inner, inner] == pytest.approx(expected[inner, inner], rel=0.02, abs=1e-5)


@pytest.mark.parametrize("shape", [(470, 250), (445, 221), (232, 80)])
def test_tiles_fit_together(shape):
    """The same as on the whole image at once, also for stars on the seams of tiles."""
    image = np.random.default_rng(2).normal(1000, 30, shape).astype(np.float32)
    for y, x in ((219, 30), (100, 40), (shape[0] - 25, shape[1] - 30)):
        image[y - 10 : y + 11, x - 10 : x + 11] += star(size=21) - 1000
    expected = np.zeros_like(image)
    for _ in range(8):
        expected = displaced_charge(image + expected, kernel())
    result = correct_brighter_fatter(image, kernel(), threshold=1.0)
    assert np.abs(expected).max() > 300
    np.testing.assert_allclose(result.correction, expected, atol=0.1)


def test_border_is_left_alone():
    moved = displaced_charge(np.random.default_rng(1).uniform(0, 1e4, (60, 50)).astype(np.float32), kernel())
    assert moved[9:-9, 9:-9].any()
    moved[9:-9, 9:-9] = 0.0
    assert not moved.any()


def test_iterations_are_counted_and_limited():
    charge = star() - displaced_charge(star(), kernel())
    once = correct_brighter_fatter(charge, kernel(), maximum_iterations=1, threshold=1.0)
    assert (once.n_iteration, once.change > 1000) == (1, True)
    more = correct_brighter_fatter(charge, kernel(), threshold=1e4)
    assert 1 < more.n_iteration < 10
    assert more.change < 1e4


def test_an_even_image_needs_no_correction():
    result = correct_brighter_fatter(np.full((60, 60), 3e4, np.float32), kernel())
    assert np.abs(result.correction).max() < 0.05
    assert result.n_iteration == 1


def test_pixels_that_are_no_number_count_as_zero():
    image = star()
    image[5, 5] = np.nan
    assert np.isfinite(correct_brighter_fatter(image, kernel()).correction).all()


def test_an_image_smaller_than_the_kernel_stays():
    assert not displaced_charge(np.ones((12, 40), np.float32), kernel()).any()


@pytest.mark.parametrize("shape", [(16, 16), (17, 15), (17,)])
def test_a_kernel_of_another_shape_is_told(shape):
    with pytest.raises(FileFormatError, match="kernel is square with an odd number of pixels, got"):
        correct_brighter_fatter(star(), np.zeros(shape, np.float32))


def test_a_kernel_with_holes_is_told():
    with pytest.raises(FileFormatError, match="kernel holds values that are not numbers"):
        correct_brighter_fatter(star(), np.full((3, 3), np.nan, np.float32))
