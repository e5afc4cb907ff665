"""The PSF of a template at any place of an image."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.window import windows
from obs.coadds.coadd_psf import CoaddPsf
from obs.frozen import frozen

__all__ = ["PsfPart", "TemplatePsf"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]


@frozen
class PsfPart:
    """The PSF of one coadd of a template.

    Parameters
    ----------
    psf : CoaddPsf
        The PSF, which is known everywhere.
    to_coadd : callable
        From x and y on the image to those on the coadd.
    shape : tuple of int
        Shape (ny, nx) of the coadd.
    """

    psf: CoaddPsf
    to_coadd: Callable[[Floats, Floats], tuple[Floats, Floats]]
    shape: tuple[int, int]


@frozen
class TemplatePsf:
    """The PSF of a template, which changes where other exposures begin.

    Parameters
    ----------
    parts : tuple of PsfPart
        The coadds of the template in the order in which they filled it, all of one tract.
    """

    parts: tuple[PsfPart, ...]

    def stamps(self, x: Floats, y: Floats) -> Image:
        """Return the PSF at places of the image on the pixels of the coadds, shape (n, size, size), size odd.

        Parameters
        ----------
        x, y : ndarray of float64, shape (n,)
            Places on the image, pixels.
        """
        size = min(min(part.psf.stamp_shape) for part in self.parts)
        result = np.zeros((len(x), size, size), np.float32)
        places = [part.to_coadd(x, y) for part in self.parts]
        owner = np.zeros(len(x), np.int64)
        for number in reversed(range(len(self.parts))):
            (u, v), (height, width) = places[number], self.parts[number].shape
            owner[(u > -0.5) & (u < width - 0.5) & (v > -0.5) & (v < height - 0.5)] = number
        for number, (part, (u, v)) in enumerate(zip(self.parts, places, strict=True)):
            rows = np.flatnonzero(owner == number)
            if rows.size:
                stamps = part.psf.evaluate(x=u[rows], y=v[rows])
                row, column = (np.full(rows.size, length // 2, np.int64) for length in stamps.shape[1:])
                result[rows] = windows(stamps, row, column, size // 2)
        return result
