"""PSFs as models of other libraries."""

import warnings

import numpy as np
import pytest

from obs.image.gaussian_psf import gaussian_psf
from obs.image.psf import PixelPsf


def varying():
    """Return a PSF that is wider at the right."""
    narrow, wide = (gaussian_psf(size, size, 0.0, 25).evaluate(x=[0], y=[0])[0] for size in (3.0, 6.0))
    basis = np.stack([(narrow + wide) / 2, (wide - narrow) / 2, np.zeros_like(wide)])
    return PixelPsf(basis, 1, x_zero=50.0, x_scale=50.0, y_zero=40.0, y_scale=40.0, interpolation="star")


PSFS = [gaussian_psf(3.0, 5.0, 1.0, 25), gaussian_psf(0.9, 0.9, 0.0, 21), varying()]


@pytest.mark.parametrize("psf", PSFS, ids=["wide", "undersampled", "varying"])
def test_image_psf_draws_what_render_draws(psf):
    pytest.importorskip("photutils")
    half = psf.stamp_shape[0] // 2
    model = psf.to_image_psf(x=60.0, y=30.0)
    model.flux, model.x_0, model.y_0 = 100.0, 60.25, 29.5
    y, x = np.mgrid[30 - half : 31 + half, 60 - half : 61 + half]
    expected = 100.0 * psf.render(x=[60.25], y=[29.5])[0]
    assert model(x, y).sum() == pytest.approx(100.0, rel=2e-3)
    # photutils interpolates the samples by cubic splines
    first = round(29.5) - half
    rows = slice(max(0, 30 - half - first), None)
    np.testing.assert_allclose(model(x, y + (first - (30 - half)))[rows], expected[rows], atol=0.02 * expected.max())


def test_at_centers_the_values_are_the_same():
    pytest.importorskip("photutils")
    psf = PSFS[0]
    model = psf.to_image_psf(x=10.0, y=10.0)
    model.x_0, model.y_0 = 10.0, 10.0
    y, x = np.mgrid[-2:23, -2:23]
    np.testing.assert_allclose(model(x, y), psf.evaluate(x=[10.0], y=[10.0])[0], atol=1e-5)


def test_gridded_psf_varies():
    pytest.importorskip("photutils")
    psf = varying()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # photutils names positions on which no warning is needed
        model = psf.to_gridded_psf((80, 100), nodes=3)
        for x, y in ((10.0, 20.0), (90.0, 70.0)):
            model.x_0, model.y_0, model.flux = x, y, 1.0
            rows, columns = np.mgrid[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4]
            expected = psf.evaluate(x=[x], y=[y])[0][9:16, 9:16]
            np.testing.assert_allclose(model(columns, rows), expected, atol=2e-4)


@pytest.mark.parametrize("psf", PSFS, ids=["wide", "undersampled", "varying"])
def test_other_libraries_draw_the_same_pixels(psf):
    for x, y in ((50.0, 40.0), (50.25, 39.6), (12.55, 61.1)):
        expected = psf.render(x=[x], y=[y])[0]
        size, peak = expected.shape[0], expected.max()
        places = pytest.importorskip("galsim").PositionD(x - round(x), y - round(y))
        drawn = psf.to_galsim(x=x, y=y, pixel_scale=0.2).drawImage(
            nx=size, ny=size, scale=0.2, offset=places, method="no_pixel"
        )
        np.testing.assert_allclose(drawn.array, expected, atol=1e-5 * peak)
        assert drawn.array.sum() == pytest.approx(1.0, rel=5e-3)
        model = psf.to_image_psf(x=x, y=y)
        rows, columns = np.mgrid[:size, :size] - float(size // 2)
        np.testing.assert_allclose(
            model.evaluate(columns + round(x), rows + round(y), 1.0, x, y), expected, atol=1e-5 * peak
        )


def test_a_psf_is_shown():
    picture = varying().show(x=90.0, y=10.0, stretch="log")
    assert picture.title == "PSF at x 90, y 10"
    axes = picture.figure.axes[0]
    assert axes.child_axes[0].get_ylabel() == "fraction of the light (1/pixel)"
