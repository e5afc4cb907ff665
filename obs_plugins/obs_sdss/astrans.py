"""Astrometry of a run (asTrans): for each field the way from pixels to great-circle coordinates.

One table a CCD, in the order of ``CAMCOLS`` and, within one, of ``FILTERS`` (which is not ugriz); one row a field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.errors import FileFormatError
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip
from obs_sdss.fits_input import columns, open_fits, position
from obs_sdss.fpc import FIELD_SHAPE

__all__ = ["FieldTransform", "read_astrans", "read_transform"]

SIP_ORDER = 4
GRID = 25


@dataclass(frozen=True)
class FieldTransform:
    """The transformation of one CCD's field, exact.

    Parameters
    ----------
    node, inclination : float
        Ascending node and inclination of the great circle that was scanned, degrees.
    row_terms, column_terms : ndarray of float64, shape (4,)
        Distortion that is added to row and column: a cubic in the column, pixels.
    mu_terms, nu_terms : ndarray of float64, shape (3,)
        Constant and factors of row and column that give longitude mu and latitude nu on the great circle, degrees.
    """

    node: float
    inclination: float
    row_terms: NDArray[np.float64]
    column_terms: NDArray[np.float64]
    mu_terms: NDArray[np.float64]
    nu_terms: NDArray[np.float64]

    def pixel_to_sky(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where pixels are on the sky.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, pixels, 0-based with centers at integers (SDSS's own centers are at .5).

        Returns
        -------
        ra, dec : ndarray of float64, shape (n,)
            Position, degrees; ra from 0 to 360.
        """
        column, row = np.asarray(x, np.float64) + 0.5, np.asarray(y, np.float64) + 0.5
        powers = column[..., None] ** np.arange(4)
        row, column = row + powers @ self.row_terms, column + powers @ self.column_terms
        mu = self.mu_terms[0] + self.mu_terms[1] * row + self.mu_terms[2] * column
        nu = np.deg2rad(self.nu_terms[0] + self.nu_terms[1] * row + self.nu_terms[2] * column)
        along = np.deg2rad(mu - self.node)
        tilt = np.deg2rad(self.inclination)
        toward_node = np.cos(along) * np.cos(nu)
        across = np.sin(along) * np.cos(nu)
        ra = self.node + np.rad2deg(np.arctan2(across * np.cos(tilt) - np.sin(nu) * np.sin(tilt), toward_node))
        dec = np.rad2deg(np.arcsin(across * np.sin(tilt) + np.sin(nu) * np.cos(tilt)))
        return ra % 360.0, dec


def read_transform(path: Path, data_id: Mapping[str, Any]) -> FieldTransform:
    """Read the transformation of one CCD's field.

    Parameters
    ----------
    path : Path
        The file, gzipped or not.
    data_id : mapping
        Its data ID, with ``camcol``, ``filter`` and ``field``.

    Returns
    -------
    FieldTransform
        The transformation.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or does not hold the CCD or the field.
    """
    with open_fits(path, "asTrans") as hdus:
        header = hdus[0].header
        camcol = position(header, "CAMCOLS", str(data_id["camcol"]), path)
        n_filter = len(str(header["FILTERS"]).split())
        number = 1 + camcol * n_filter + position(header, "FILTERS", str(data_id["filter"]), path)
        table = columns(hdus[number])
        (rows,) = np.nonzero(table["field"] == int(data_id["field"]))
        if not len(rows):
            first, last = int(table["field"].min()), int(table["field"].max())
            raise FileFormatError(f"holds no field {data_id['field']}; it has fields {first} to {last}", path=path)

        def terms(*names: str) -> NDArray[np.float64]:
            return np.array([table[name][rows[0]] for name in names], np.float64)

        return FieldTransform(
            node=float(header["NODE"]),
            inclination=float(header["INCL"]),
            row_terms=terms("dRow0", "dRow1", "dRow2", "dRow3"),
            column_terms=terms("dCol0", "dCol1", "dCol2", "dCol3"),
            mu_terms=terms("a", "b", "c"),
            nu_terms=terms("d", "e", "f"),
        )


def read_astrans(path: Path, data_id: Mapping[str, Any]) -> TanSipWcs:
    """Read the WCS of one CCD's field.

    Parameters
    ----------
    path : Path
        The file, gzipped or not.
    data_id : mapping
        Its data ID, with ``camcol``, ``filter`` and ``field``.

    Returns
    -------
    TanSipWcs
        A TAN-SIP of order 4 that follows the transformation within a milliarcsecond over the field.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or does not hold the CCD or the field.
    """
    transform = read_transform(path, data_id)
    height, width = FIELD_SHAPE
    x, y = np.tile(np.linspace(0, width - 1, GRID), GRID), np.repeat(np.linspace(0, height - 1, GRID), GRID)
    ra, dec = transform.pixel_to_sky(x=x, y=y)
    return fit_tan_sip(x=x, y=y, ra=ra, dec=dec, order=SIP_ORDER, crpix=((width - 1) / 2, (height - 1) / 2))
