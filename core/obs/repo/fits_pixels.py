"""Images written to FITS files some rows at a time.

astropy swaps the bytes of the whole array in place and back, so that it may not be read meanwhile, and copies an array
that is read-only.
"""

from typing import BinaryIO

import numpy as np
from astropy.io import fits

from obs.repo.fits_checksum import add_sums, sum_words

__all__ = ["has_plain_pixels", "write_image_hdu"]

_BLOCK = 2880
#: Bytes that are swapped and summed at a time, few enough to stay in the processor's cache.
_PIECE = 1 << 18
#: Types that FITS has; astropy writes the others with an offset, or refuses them.
_TYPES = frozenset({"u1", "i2", "i4", "i8", "f4", "f8"})


def has_plain_pixels(hdu: fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU) -> bool:
    """Return whether an HDU is an image, or empty, whose array has one of FITS's own types.

    Parameters
    ----------
    hdu : fits.PrimaryHDU, fits.ImageHDU or fits.BinTableHDU
        HDU; a compressed image is not plain.
    """
    if not isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU) or isinstance(hdu, fits.CompImageHDU):
        return False
    return hdu.data is None or (isinstance(hdu.data, np.ndarray) and hdu.data.dtype.str[1:] in _TYPES)


def write_image_hdu(file: BinaryIO, hdu: fits.PrimaryHDU | fits.ImageHDU) -> int:
    """Write an HDU that `has_plain_pixels`, as astropy does to the byte, and return the sum of its data.

    Parameters
    ----------
    file : BinaryIO
        Where it begins.
    hdu : PrimaryHDU or ImageHDU
        Made from a header and an array; the array is only read.

    Returns
    -------
    int
        As of `obs.repo.fits_checksum.sum_words`.
    """
    file.write(hdu.header.tostring().encode("ascii"))
    pixels = hdu.data
    if pixels is None or not pixels.size:
        return 0
    rows = pixels.reshape(-1, pixels.shape[-1])
    # whole words in every piece but the last
    step = 4 * max(1, _PIECE // (4 * rows.shape[1] * rows.itemsize))
    big_endian, total = rows.dtype.newbyteorder(">"), 0
    for start in range(0, len(rows), step):
        piece = np.ascontiguousarray(rows[start : start + step], big_endian).data.cast("B")
        total = add_sums(total, sum_words(piece))
        file.write(piece)
    file.write(bytes(-pixels.nbytes % _BLOCK))
    return total
