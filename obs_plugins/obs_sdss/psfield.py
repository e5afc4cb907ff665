"""Point-spread functions (psField): Karhunen-Loeve components whose weights are polynomials in row and column.

HDU 1 to 5 hold the components of one filter each, HDU 6 numbers of the field.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from obs.algorithms.psf.width import half_maximum_width
from obs.errors import FileFormatError
from obs.image.psf import PixelPsf
from obs_sdss.fits_input import columns, open_fits, position

__all__ = ["read_psfield"]

STAMP = 31
"""Side of the stamps, pixels; the 10 outer pixels on each side of the components hold noise."""

POSITION_SCALE = 1000.0
"""Rows and columns enter the polynomials in units of this many pixels."""

MIDDLE = (1024, 744)
"""Middle of a frame, x and y, pixels."""


def read_psfield(path: Path, data_id: Mapping[str, Any]) -> PixelPsf:
    """Read the PSF of one filter.

    Parameters
    ----------
    path : Path
        The file.
    data_id : mapping
        Its data ID, with ``filter``.

    Returns
    -------
    PixelPsf
        The sum over components k of sum_ij c_k[i, j] (y / 1000)^i (x / 1000)^j times the component's image: a product
        of powers up to 2 in each axis fits in a polynomial of total degree 4.

    Raises
    ------
    FileFormatError
        If the file cannot be read or does not hold the filter.
    """
    with open_fits(path, "psField") as hdus:
        index = position(hdus[0].header, "FILTERS", str(data_id["filter"]), path)
        table, field = hdus[index + 1].data, columns(hdus[6])
        n_y, n_x = int(table["nrow_b"][0]), int(table["ncol_b"][0])
        # what is beyond nrow_b and ncol_b is uninitialized memory
        weights = np.asarray(table["c"], np.float64).reshape(len(table), 5, 5)[:, :n_y, :n_x]
        shape = int(table["RNROW"][0]), int(table["RNCOL"][0])
        components = np.stack([np.asarray(image, np.float64).reshape(shape) for image in table["RROWS"]])
        n_star = int(field["psf_nstar"][0, index])
    if min(shape) < STAMP:
        raise FileFormatError(f"psField components have shape {shape}, expected at least {STAMP} a side", path=path)
    y_0, x_0 = (size // 2 - STAMP // 2 for size in shape)
    components = components[:, y_0 : y_0 + STAMP, x_0 : x_0 + STAMP]
    degree = n_y + n_x - 2
    basis = np.stack(
        [
            np.tensordot(weights[:, j, i], components, 1) if j < n_y and i < n_x else np.zeros((STAMP, STAMP))
            for j in range(degree + 1)
            for i in range(degree + 1 - j)
        ]
    )
    total = basis[0].sum()
    if not total > 0:
        raise FileFormatError(f"the PSF of filter '{data_id['filter']}' adds up to {total:g}", path=path)
    psf = PixelPsf(
        (basis / total).astype(np.float32), degree, x_scale=POSITION_SCALE, y_scale=POSITION_SCALE, n_star=n_star
    )
    # psf_width of the file is the width of a Gaussian of the same area, a quarter more than that at half maximum
    psf.fwhm = half_maximum_width(psf, x=MIDDLE[0], y=MIDDLE[1])
    return psf
