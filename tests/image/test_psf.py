import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.image.psf import PixelPsf, polynomial_terms
from star_field import Gaussian, Moffat, pixel_psf, stamp


def varying_psf(degree=2, half=12):
    """Gaussian whose width grows linearly in x, by its own Taylor terms."""
    n_term = (degree + 1) * (degree + 2) // 2
    basis = np.zeros((n_term, 2 * half + 1, 2 * half + 1), np.float32)
    basis[0] = stamp(Gaussian(4.0, 4.0), 0, 0, half)
    basis[1] = (stamp(Gaussian(4.4, 4.4), 0, 0, half) - stamp(Gaussian(3.6, 3.6), 0, 0, half)) / 2
    return PixelPsf(basis, degree, x_zero=1000, x_scale=500, y_zero=600, y_scale=300)


def second_moment(image):
    half = len(image) // 2
    return float((image * np.arange(-half, half + 1) ** 2).sum() / image.sum())


def test_terms_come_in_the_order_of_psfex_files():
    u, v = np.array([2.0, -1.0]), np.array([3.0, 5.0])
    expected = [1 + 0 * u, u, u**2, u**3, v, u * v, u**2 * v, v**2, u * v**2, v**3]
    np.testing.assert_allclose(polynomial_terms(u, v, 3), np.transpose(expected))
    np.testing.assert_allclose(polynomial_terms(u, v, 0), [[1], [1]])


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_a_rendered_star_is_the_star_drawn_there(dx, dy):
    profile = Moffat(3.0)
    rendered = pixel_psf(profile, 20).render(x=[50 + dx], y=[80 + dy])[0]
    # the middle pixel is the nearest one: just beyond half a pixel the star belongs to the next
    shift_x, shift_y = 50 + dx - np.rint(50 + dx), 80 + dy - np.rint(80 + dy)
    expected = stamp(profile, shift_x, shift_y, 20)
    expected /= expected.sum()
    assert np.abs(rendered - expected).max() < 3e-3 * expected.max()
    assert rendered.sum() == pytest.approx(1.0, abs=1e-3)


def test_stamps_add_up_to_one_wherever_they_are():
    psf = varying_psf()
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 2000, 50), rng.uniform(0, 1200, 50)
    np.testing.assert_allclose(psf.evaluate(x=x, y=y).sum((1, 2)), 1.0, atol=1e-6)
    np.testing.assert_allclose(psf.render(x=x, y=y).sum((1, 2)), 1.0, atol=1e-4)


def test_the_psf_varies_with_position():
    psf = varying_psf()
    left, middle, right = psf.evaluate(x=[500, 1000, 1500], y=[0, 600, 1200])
    assert second_moment(middle) == pytest.approx(4 + 1 / 12, abs=0.02)
    assert second_moment(left) == pytest.approx(3.6 + 1 / 12, abs=0.05)
    assert second_moment(right) == pytest.approx(4.4 + 1 / 12, abs=0.05)


@pytest.mark.parametrize("sampling", [0.5, 0.77, 1.3])
def test_other_samplings_give_the_same_stars(sampling):
    profile, half = Gaussian(6.0, 4.0, 1.0), 16
    steps = int(np.ceil(half / sampling)) + 6
    place = np.arange(-steps, steps + 1) * sampling
    model = profile(place[None, :], place[:, None])
    psf = PixelPsf(model[None].astype(np.float32), 0, sampling=sampling, stamp_shape=(2 * half + 1, 2 * half + 1))
    pixel = np.arange(-half, half + 1)
    found = psf.render(x=[10.3], y=[20.9])[0]
    expected = profile(pixel[None, :] - 0.3, pixel[:, None] + 0.1)
    np.testing.assert_allclose(found, expected, atol=5e-3 * expected.max())
    np.testing.assert_allclose(psf.evaluate(x=[10.3], y=[20.9])[0].sum(), 1.0, atol=1e-5)


def test_the_centered_stamp_is_that_of_a_star_on_a_pixel():
    psf = varying_psf()
    np.testing.assert_allclose(psf.evaluate(x=[700], y=[500]), psf.render(x=[700], y=[500]), atol=1e-7)


def test_stamps_are_float32_and_as_large_as_promised():
    basis = np.ones((1, 21, 31), np.float32)
    assert PixelPsf(basis, 0).stamp_shape == (21, 31)
    assert PixelPsf(basis, 0, sampling=0.5).stamp_shape == (11, 15)
    psf = PixelPsf(basis, 0, stamp_shape=(9, 13))
    for stamps in (psf.evaluate(x=[1, 2, 3], y=[4, 5, 6]), psf.render(x=[1, 2, 3], y=[4, 5, 6])):
        assert stamps.shape == (3, 9, 13)
        assert stamps.dtype == np.float32


def test_no_position_is_no_stamp():
    psf = varying_psf()
    assert psf.evaluate(x=[], y=[]).shape == (0, 25, 25)
    assert psf.render(x=[], y=[]).shape == (0, 25, 25)


@pytest.mark.parametrize("n", [1, 5, 7])
def test_the_number_of_images_follows_from_the_degree(n):
    with pytest.raises(ValueError, match=rf"degree 2 needs 6 images, got an array of shape \({n}, 9, 9\)"):
        PixelPsf(np.ones((n, 9, 9), np.float32), 2)


@pytest.mark.parametrize(("basis", "stamp_shape"), [((8, 9), None), ((9, 9), (7, 6))])
def test_even_sizes_are_refused(basis, stamp_shape):
    with pytest.raises(ValueError, match="PSF sizes are odd, got basis"):
        PixelPsf(np.ones((1, *basis), np.float32), 0, stamp_shape=stamp_shape)


def test_slopes_are_those_of_the_rendered_psf():
    psf = pixel_psf(Moffat(3.0), 15)
    image, slope_x, slope_y = psf.render_slopes(x=[10.2, 30.4], y=[20.1, 19.7])
    np.testing.assert_allclose(image, psf.render(x=[10.2, 30.4], y=[20.1, 19.7]), atol=1e-7)
    for found, step in ((slope_x, (0.01, 0.0)), (slope_y, (0.0, 0.01))):
        ahead, behind = (
            psf.render(x=np.array([10.2, 30.4]) + s * step[0], y=np.array([20.1, 19.7]) + s * step[1]) for s in (1, -1)
        )
        np.testing.assert_allclose(found, (ahead - behind) / 0.02, atol=2e-4 * image.max())
