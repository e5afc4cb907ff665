"""A PSF that adds up to one everywhere, for programs that take the sum of the model as it is."""

import numpy as np

from obs.image.psf import PixelPsf, polynomial_terms

__all__ = ["with_unit_sum"]

_GRID = 12  # positions along each side; more than the terms of any degree in use need


def with_unit_sum(psf: PixelPsf, shape: tuple[int, int]) -> PixelPsf:
    """Return a PSF whose stamps add up to one at every position of a detector.

    `PixelPsf` divides by the sum at each position; SExtractor does not. The normalized model is fitted with polynomials
    of the same degree, which keeps its sum, because the fit of a constant is that constant.

    Parameters
    ----------
    psf : PixelPsf
        The PSF.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    """
    sides = (np.linspace(0.0, size - 1.0, _GRID) for size in shape[::-1])
    x, y = (part.ravel() for part in np.meshgrid(*sides))
    terms = polynomial_terms((x - psf.x_zero) / psf.x_scale, (y - psf.y_zero) / psf.y_scale, psf.degree)
    models = psf.model(x=x, y=y).astype(np.float64)
    basis = np.linalg.lstsq(terms, models.reshape(len(x), -1), rcond=None)[0]
    return PixelPsf(
        basis.reshape(psf.basis.shape).astype(np.float32),
        psf.degree,
        x_zero=psf.x_zero,
        x_scale=psf.x_scale,
        y_zero=psf.y_zero,
        y_scale=psf.y_scale,
        sampling=psf.sampling,
        stamp_shape=psf.stamp_shape,
        fwhm=psf.fwhm,
        chi2=psf.chi2,
        n_star=psf.n_star,
        interpolation=psf.interpolation,
    )
