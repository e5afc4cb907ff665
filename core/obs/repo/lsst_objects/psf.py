"""PSFs in the archives of the LSST stack.

References
----------
The stack's meas_algorithms (`PcaPsf.cc`, `KernelPsf.cc`, `DoubleGaussianPsf.cc`, `SingleGaussianPsf.cc`) and
meas_extensions_psfex (`PsfexPsf.cc`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.psf import PixelPsf
from obs.repo.lsst_objects.archive import Archive, attached_number, field, point
from obs.repo.lsst_objects.kernel import kernel_psf

__all__ = ["PSF_CLASSES", "psf_number", "read_single_psf"]

#: Cards with the number of the PSF, of newer and older files.
_CARDS = ("ARCHIVE_ID_PSF", "PSF_ID")

PSF_CLASSES = ("PsfexPsf", "PcaPsf", "KernelPsf", "SingleGaussianPsf", "DoubleGaussianPsf", "GaussianPsf")
"""Classes of PSFs of single exposures that are read."""


def psf_number(archive: Archive | None, header: Mapping[str, Any]) -> int:
    """Return the number of the PSF of an exposure, or 0 if it has none.

    Parameters
    ----------
    archive : Archive or None
        Archive of the file.
    header : mapping
        Cards of the exposure.
    """
    return attached_number(archive, header, _CARDS, (*PSF_CLASSES, "CoaddPsf"))


def read_single_psf(archive: Archive, number: int, origin: tuple[int, int] = (0, 0)) -> PixelPsf:
    """Return the PSF of a single exposure by its number.

    Parameters
    ----------
    archive : Archive
        The archive.
    number : int
        Number of the PSF.
    origin : tuple of int, optional
        Position (x, y) of the image's first pixel, as the stack counts pixels.

    Raises
    ------
    FileFormatError
        If it is of a class that is not read.
    """
    name, rows = archive.find(number)
    if name == "PsfexPsf":
        psf = _psfex(rows)
    elif name in ("PcaPsf", "KernelPsf"):
        psf = kernel_psf(archive, int(field(rows[0][0], "kernel")))
    elif name in ("SingleGaussianPsf", "DoubleGaussianPsf", "GaussianPsf"):
        psf = _gaussian(rows[0][0], name)
    else:
        reason = " (a PiffPsf is a pickle of the package piff)" if name == "PiffPsf" else ""
        raise FileFormatError(
            f"its PSF is of the stack's class {name}, which is not read; {', '.join(PSF_CLASSES)} and CoaddPsf "
            f"are{reason}"
        )
    psf.x_zero, psf.y_zero = psf.x_zero - origin[0], psf.y_zero - origin[1]
    return psf


def _psfex(rows: list[Any]) -> PixelPsf:
    if len(rows) != 2 or len(rows[0]) != 1 or len(rows[1]) != 1:
        raise FileFormatError("its PsfexPsf is damaged: expected two tables of one row")
    scalars, arrays = rows[0][0], rows[1][0]
    if int(scalars["ndim"]) != 2 or int(scalars["ngroup"]) != 1:
        raise FileFormatError("its PsfexPsf varies with more than the position, which is not read")
    zero, scale = np.ravel(arrays["_context_first"]), np.ravel(arrays["_context_second"])
    basis = _basis(np.ravel(arrays["_comp"]), [int(length) for length in np.ravel(arrays["_size"])])
    return PixelPsf(
        basis,
        int(np.ravel(arrays["degree"])[0]),
        x_zero=float(zero[0]),
        x_scale=float(scale[0]),
        y_zero=float(zero[1]),
        y_scale=float(scale[1]),
        sampling=float(scalars["_pixstep"]),
    )


def _basis(values: NDArray[Any], size: list[int]) -> NDArray[np.float32]:
    """Return the images of a PSF, shape (n_term, ny, nx): the stack keeps each by columns."""
    width, height, *count = size
    if len(values) != width * height * (count[0] if count else 1):
        raise FileFormatError(f"its PsfexPsf is damaged: {len(values)} values for a size of {size}")
    return np.ascontiguousarray(values.reshape(-1, height, width).transpose(0, 2, 1), np.float32)


def _gaussian(row: Any, name: str) -> PixelPsf:  # noqa: ANN401 - a row of astropy
    width, height = (int(size) | 1 for size in point(row, "dimensions"))
    x, y = np.arange(width) - width // 2, np.arange(height) - height // 2
    squared = x[None, :] ** 2 + y[:, None] ** 2
    inner = float(field(row, "sigma1" if name.startswith("Double") else "sigma"))
    outer, share = (float(field(row, "sigma2")), float(field(row, "b"))) if name.startswith("Double") else (1.0, 0.0)
    if not (inner > 0 and (outer > 0 or share == 0)):
        raise FileFormatError(f"its {name} is damaged: a width of {min(inner, outer)}")
    image = np.exp(-0.5 * squared / inner**2)
    if share:
        image += share * np.exp(-0.5 * squared / outer**2)
    return PixelPsf(image[None].astype(np.float32), 0, fwhm=2.0 * np.sqrt(2.0 * np.log(2.0)) * inner)
