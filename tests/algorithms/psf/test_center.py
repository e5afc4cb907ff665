import numpy as np
import pytest

from obs.algorithms.psf.center import windowed_centers
from obs.algorithms.psf.fit import fit_psf
from star_field import Moffat, draw, observe, scatter, stamp


class Lopsided:
    """A core and a wider, fainter part beside it."""

    reach = 30

    def __init__(self, fwhm):
        self.core, self.side, self.offset = Moffat(fwhm), Moffat(1.6 * fwhm), 0.1 * fwhm

    def __call__(self, dx, dy):
        return 0.7 * self.core(dx, dy) + 0.3 * self.side(dx - self.offset, dy - 0.5 * self.offset)


@pytest.mark.parametrize("fwhm", [2.0, 3.5, 6.0])
def test_the_center_of_a_round_image_is_where_it_was_drawn(fwhm):
    image = stamp(Moffat(fwhm), 0.31, -0.17, 20)[None].astype(np.float32)
    x, y = windowed_centers(image, fwhm)
    # a profile two pixels wide is not band-limited
    assert x[0] == pytest.approx(0.31, abs=0.01)
    assert y[0] == pytest.approx(-0.17, abs=0.01)


@pytest.mark.parametrize("fwhm", [1.8, 2.5, 4.0])
def test_a_fitted_psf_is_centered_wherever_the_positions_pointed(fwhm):
    """Also where the positions that the fit starts from are off by an amount that changes over the detector."""
    shape = (900, 900)
    true_x, true_y = scatter(80, shape, seed=2, separation=45, border=25)
    image, variance = observe(draw(shape, true_x, true_y, np.geomspace(3e5, 3e4, 80), Lopsided(fwhm)), seed=5)
    x, y = true_x + 0.06 * (true_x / 900 - 0.5) + 0.03, true_y - 0.04
    around = np.arange(-15, 16)
    rows, columns = (np.rint(place).astype(int)[:, None] + around for place in (y, x))
    pixels = rows[:, :, None], columns[:, None, :]
    stamps = (image - 100)[pixels]
    fit = fit_psf(stamps, variance[pixels], np.ones(stamps.shape, bool), x=x, y=y, shape=shape)
    images = fit.psf.evaluate(x=[50, 450, 850, 450], y=[50, 450, 850, 100])
    # a window of another width than the fit's moves the center of a lopsided image by a little
    for center in windowed_centers(images, fit.psf.fwhm):
        np.testing.assert_allclose(center, 0.0, atol=0.008)


def test_an_image_without_light_has_no_center():
    with np.errstate(invalid="ignore"):
        x, y = windowed_centers(np.full((1, 11, 11), -1.0, np.float32), 3.0)
    assert not np.isfinite([x, y]).any()
