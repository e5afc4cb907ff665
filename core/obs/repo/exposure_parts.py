"""PSF, WCS and zero point of an exposure file: our own, or those that the LSST stack attached."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from astropy.io import fits

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.image.photo_calib import PhotoCalib
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs
from obs.repo.fits_exposure_header import (
    find_image,
    header_filter,
    header_origin,
    header_photo_calib,
    header_wcs,
    image_or_empty,
    merge_headers,
)
from obs.repo.fits_file import header_to_dict, open_fits
from obs.repo.fits_psf import PSF_EXTNAME, psf_from_hdu
from obs.repo.lsst_objects.archive import Archive, open_archive
from obs.repo.lsst_objects.attached import AttachedObjects, attached_filter, find_attached
from obs.repo.lsst_objects.coadd_psf import coadd_psf
from obs.repo.lsst_objects.photo_calib import archived_photo_calib
from obs.repo.lsst_objects.psf import psf_number, read_single_psf
from obs.repo.lsst_objects.sky_wcs import archived_wcs

__all__ = ["ExposureParts", "exposure_parts", "read_filter", "read_photo_calib", "read_psf", "read_wcs"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


@frozen
class ExposureParts:
    """What goes with the pixels; None where a file has it not.

    Parameters
    ----------
    wcs : TanSipWcs or None
        Position on the sky.
    psf : PixelPsf or None
        Point-spread function.
    photo_calib : PhotoCalib or None
        Zero point.
    origin : tuple of int
        Number of the first column and row in the image that the file is a part of.
    attached : AttachedObjects or None
        What else the LSST stack attached.
    physical_filter : str
        The filter, empty if it is not known.
    """

    wcs: TanSipWcs | None
    psf: PixelPsf | None
    photo_calib: PhotoCalib | None
    origin: tuple[int, int]
    attached: AttachedObjects | None
    physical_filter: str


@frozen
class _File:
    """An open file: its archive, cards, and shape and first pixel of the image as the stack counts pixels."""

    hdus: fits.HDUList
    header: Mapping[str, Any]
    archive: Archive | None
    path: Path | str

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.header.get("NAXIS2", 0)), int(self.header.get("NAXIS1", 0))

    @property
    def origin(self) -> tuple[int, int]:
        return header_origin(self.header)

    def wcs(self) -> TanSipWcs | None:
        """Return the attached WCS, or that of the header, which is kept where both agree."""
        plain = header_wcs(self.header, self.path, self.hdus)
        return archived_wcs(self.archive, self.header, self.shape, self.origin, plain) or plain

    def psf(self) -> PixelPsf | None:
        """Return the PSF: our own or the attached one."""
        if PSF_EXTNAME in self.hdus:
            return psf_from_hdu(self.hdus[PSF_EXTNAME])
        number = psf_number(self.archive, self.header)
        if self.archive is None or not number:
            return None
        if self.archive.find(number)[0] == "CoaddPsf":
            return coadd_psf(self.archive, number, self.shape, self.origin)
        return read_single_psf(self.archive, number, self.origin)

    def physical_filter(self) -> str:
        """Return the filter of the header, or the attached one, as the stack has it since 2020."""
        return header_filter(self.header) or attached_filter(self.archive, self.header)

    def photo_calib(self) -> PhotoCalib | None:
        """Return the attached zero point, or that of the header."""
        found = archived_photo_calib(self.archive, self.header, self.path, self.origin)
        return found or header_photo_calib(self.header)

    def tried(self, part: Callable[[], _T | None], otherwise: Callable[[], _T | None]) -> _T | None:
        """Return a part, or what replaces one that cannot be read, with a line in the log."""
        try:
            return part()
        except FileFormatError as error:
            _LOG.warning("%s: %s", self.path, error)
            return otherwise()


def exposure_parts(hdus: fits.HDUList, header: Mapping[str, Any], path: Path | str) -> ExposureParts:
    """Return the parts of an open exposure file; what cannot be read is logged.

    Parameters
    ----------
    hdus : fits.HDUList
        The file.
    header : mapping
        Cards of the primary HDU and of the image.
    path : Path or str
        Its name, for the log.
    """
    file = _File(hdus, header, open_archive(hdus), path)
    return ExposureParts(
        file.tried(file.wcs, lambda: header_wcs(header, None, hdus)),
        file.tried(file.psf, lambda: None),
        file.tried(file.photo_calib, lambda: header_photo_calib(header)),
        file.origin,
        find_attached(hdus, header, path),
        file.tried(file.physical_filter, lambda: "") or "",
    )


def read_wcs(path: Path | str, hdu: int | None = None) -> TanSipWcs | None:
    """Read the WCS of a file, also of one without pixels; None if there is none.

    Parameters
    ----------
    path : Path or str
        The file.
    hdu : int, optional
        The HDU of a plain image; the first image if absent.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a FITS file, or the WCS is one that the LSST stack attached and that is not read.
    """
    return _read(path, hdu, _File.wcs)


def read_photo_calib(path: Path | str, hdu: int | None = None) -> PhotoCalib | None:
    """Read the zero point of a file without its pixels; arguments and errors as of `read_wcs`.

    Parameters
    ----------
    path : Path or str
        The file.
    hdu : int, optional
        Number of the HDU, from 0. By default the first image.

    Returns
    -------
    PhotoCalib or None
        None if the file has no zero point.
    """
    return _read(path, hdu, _File.photo_calib)


def read_filter(path: Path | str, hdu: int | None = None) -> str | None:
    """Read the physical filter of a file without its pixels, None if there is none; arguments as of `read_wcs`.

    Parameters
    ----------
    path : Path or str
        The file.
    hdu : int, optional
        Number of the HDU, from 0. By default the first image.
    """
    return _read(path, hdu, _File.physical_filter) or None


def read_psf(path: Path | str) -> PixelPsf:
    """Read the PSF of a PSFEx file or an exposure file, our own or LSST's.

    Parameters
    ----------
    path : Path or str
        FITS file.

    Raises
    ------
    FileFormatError
        If the file holds none, or one that is not read.
    """
    found = _read(path, None, _File.psf)
    if found is None:
        raise FileFormatError(
            "no PSF in it: neither a table PSF_DATA nor a PSF that the LSST stack attached", path=path
        )
    return found


def _read(path: Path | str, hdu: int | None, part: Callable[[_File], _T | None]) -> _T | None:
    with open_fits(path, is_own=True) as hdus:
        image = find_image(hdus, hdu) if hdu is not None else image_or_empty(hdus)
        header = header_to_dict(hdus[0].header) if image is None else merge_headers(hdus, image)
        return part(_File(hdus, header, open_archive(hdus), path))
