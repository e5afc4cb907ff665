"""Images written to FITS files some rows at a time.

astropy swaps the bytes of the whole array in place and back, so that it may not be read meanwhile, and copies an array
that is read-only.
"""

from typing import BinaryIO

import numpy as np
from astropy.io import fits

__all__ = ["has_plain_pixels", "write_image_hdu"]

_BLOCK = 2880
#: Bytes that are swapped at a time.
_PIECE = 4 << 20
#: Types that FITS has; astropy writes the others with an offset, or refuses them.
_TYPES = frozenset({"u1", "i2", "i4", "i8", "f4", "f8"})


def has_plain_pixels(hdu: fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU) -> bool:
    """Return whether an HDU is an image, or empty, whose array has one of FITS's own types."""
    if not isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU) or isinstance(hdu, fits.CompImageHDU):
        return False
    return hdu.data is None or (isinstance(hdu.data, np.ndarray) and hdu.data.dtype.str[1:] in _TYPES)


def write_image_hdu(file: BinaryIO, hdu: fits.PrimaryHDU | fits.ImageHDU) -> None:
    """Write an HDU that `has_plain_pixels`, as astropy does to the byte.

    Parameters
    ----------
    file : BinaryIO
        Where it begins.
    hdu : PrimaryHDU or ImageHDU
        Made from a header and an array; the array is only read.
    """
    file.write(hdu.header.tostring().encode("ascii"))
    pixels = hdu.data
    if pixels is None or not pixels.size:
        return
    rows = pixels.reshape(-1, pixels.shape[-1])
    step = max(1, _PIECE // (rows.shape[1] * rows.itemsize))
    big_endian = rows.dtype.newbyteorder(">")
    for start in range(0, len(rows), step):
        file.write(np.ascontiguousarray(rows[start : start + step], big_endian).data)
    file.write(bytes(-pixels.nbytes % _BLOCK))
