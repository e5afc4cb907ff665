"""Growth of a point source's light with the measure that is taken of it, predicted from the PSF model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import SINC_MARGIN, measure_aperture_flux
from obs.algorithms.measure.shape import measure_shape
from obs.algorithms.photometry.surface import Surface, interpolate_surface, surface_nodes
from obs.frozen import frozen
from obs.image.psf import Psf

__all__ = ["Growth", "predict_growth"]

NODES = 9
"""Places along each axis at which the PSF is looked at; its own polynomials have at most degree four."""


@frozen(eq=False)
class Growth:
    """Part of the light of the PSF model that a measurement finds, at nodes over the detector.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the detector.
    gaussian : ndarray of float64, shape (n_node,)
        Part that the adaptive Gaussian finds. The flux of the PSF finds all.
    apertures : dict of float to ndarray of float64, shape (n_node,)
        Radius, pixels, to the part within the aperture.
    """

    shape: tuple[int, int]
    gaussian: NDArray[np.float64]
    apertures: dict[float, NDArray[np.float64]]

    def factor(self, found: NDArray[np.float64], wanted: NDArray[np.float64]) -> Surface:
        """Return the factor from a measurement that finds one part of the light to one that finds another.

        Parameters
        ----------
        found, wanted : ndarray of float64, shape (n_node,)
            Parts of the light at the nodes, as ``gaussian`` or one of ``apertures``.

        Returns
        -------
        Surface
            The ratio ``wanted / found``.
        """
        return interpolate_surface(wanted / found, self.shape)


def predict_growth(psf: Psf, shape: tuple[int, int], radii: Sequence[float], *, maximum_sinc_radius: float) -> Growth:
    """Measure the model of the PSF as sources are measured.

    Parameters
    ----------
    psf : Psf
        Point-spread function.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    radii : sequence of float
        Radii of apertures, pixels.
    maximum_sinc_radius : float
        Larger apertures are integrated over pixels, not over the band-limited image.

    Returns
    -------
    Growth
    """
    x, y = surface_nodes(shape, NODES)
    stamps = psf.evaluate(x=x, y=y)
    at = np.zeros(len(stamps))
    whole = stamps.sum((1, 2), dtype=np.float64)
    shapes = measure_shape(stamps, np.ones_like(stamps), at, at)
    # where the model has no Gaussian moments its Gaussian flux is taken to be that of the PSF
    gaussian = np.where(shapes.failed, whole, shapes.flux)
    # the model has no light beyond its stamp, but the kernel of an aperture rings on
    margin = max(0, int(max(radii)) + 1 + SINC_MARGIN - stamps.shape[1] // 2)
    wide = np.pad(stamps, ((0, 0), (margin, margin), (margin, margin)))
    ones, everywhere = np.ones_like(wide), np.ones(wide.shape, bool)
    within = {
        radius: measure_aperture_flux(wide, ones, everywhere, at, at, radius, sinc=radius <= maximum_sinc_radius).flux
        for radius in radii
    }
    return Growth(shape, gaussian / whole, {radius: flux / whole for radius, flux in within.items()})
