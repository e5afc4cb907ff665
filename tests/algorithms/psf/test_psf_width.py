import numpy as np
import pytest

from obs.algorithms.measure.shape import psf_elongation
from obs.algorithms.psf.width import half_maximum_width
from obs.image.psf import PixelPsf


@pytest.mark.parametrize("fwhm", [2.5, 4.2, 7.0])
@pytest.mark.parametrize("x", [0.0, 10.3])
def test_the_width_of_a_moffat_is_where_it_falls_to_half(fwhm, x):
    y_grid, x_grid = np.mgrid[-25:26, -25:26]
    core = 0.5 * fwhm / np.sqrt(2 ** (1 / 3) - 1)
    profile = (1 + (x_grid**2 + y_grid**2) / core**2) ** -3.0
    psf = PixelPsf(profile[None].astype(np.float32), 0)
    # rendered at 64 places of a pixel, the area is known to a few parts in a thousand
    assert half_maximum_width(psf, x=x, y=7.5) == pytest.approx(fwhm, rel=0.01)


def test_an_ellipse_counts_by_its_area():
    y_grid, x_grid = np.mgrid[-25:26, -25:26]
    profile = np.exp(-0.5 * (x_grid**2 / 3.0**2 + y_grid**2 / 2.0**2))
    psf = PixelPsf(profile[None].astype(np.float32), 0)
    assert half_maximum_width(psf, x=3.0, y=3.0) == pytest.approx(2.3548 * np.sqrt(6.0), rel=0.01)
    assert psf_elongation(psf, x=3.0, y=3.0) == pytest.approx(np.sqrt(1.5), rel=0.01)
