"""Files in the layout of the LSST stack, made from known values."""

import numpy as np
from astropy.io import fits

SHAPE = (40, 50)
#: The images of a PSF whose first varies with nothing, the second with x, the third with y.
PIXELS = np.random.default_rng(3).random((3, 7, 7)).astype(np.float32)


def table(columns, **cards):
    """Return a binary table of one row, or of the rows of its arrays."""
    made = [fits.Column(name, form, array=np.asarray(values), dim=None) for name, form, values in columns]
    hdu = fits.BinTableHDU.from_columns(made)
    hdu.header.update(cards)
    return hdu


def psf_tables(name="PsfexPsf"):
    """Return index rows and tables of a PSF, as PsfexPsf.cc of meas_extensions_psfex writes them."""
    scalars = table(
        [
            *((key, "J", [value]) for key, value in (("ndim", 2), ("ngroup", 1), ("ncoeff", 3), ("_size_size", 3))),
            *((key, "J", [value]) for key, value in (("_comp_size", PIXELS.size), ("_context_size", 2))),
            ("averagePosition_x", "D", [25.0]),
            ("averagePosition_y", "D", [20.0]),
            ("_pixstep", "E", [1.0]),
        ],
        EXTTYPE="ARCHIVE_DATA",
        AR_CATN=1,
    )
    stored = PIXELS.transpose(0, 2, 1).ravel()  # by columns
    arrays = table(
        [
            ("group", "2J", [[0, 0]]),
            ("degree", "1J", [[1]]),
            ("basis", "3D", [[1, 0, 0]]),
            ("coeff", "3D", [[0, 0, 0]]),
            ("_size", "3J", [[7, 7, 3]]),
            ("_comp", f"{stored.size}E", [stored]),
            ("_context_first", "2D", [[25.0, 20.0]]),
            ("_context_second", "2D", [[50.0, 40.0]]),
        ],
        EXTTYPE="ARCHIVE_DATA",
        AR_CATN=2,
    )
    return [(3, 1, 0, 0, 1, name), (3, 2, 1, 0, 1, name)], [scalars, arrays]


def photo_calib_table(mean, error, *, version=1, constant=True, number=3):
    """Return index rows and the table of a calibration, as PhotoCalib.cc of afw writes them."""
    columns = [("flags", "1X", [[constant]]), ("calibrationMean", "D", [mean]), ("calibrationErr", "D", [error])]
    columns += [("field", "J", [0])] + ([("version", "J", [version])] if version is not None else [])
    made = table(columns, EXTTYPE="ARCHIVE_DATA", AR_CATN=number, FLAGCOL=1, TFLAG1="isConstant")
    return [(7, number, 0, 0, 1, "PhotoCalib")], [made]


def calexp(path, *parts, cards=None, points=True, compressed=False, only_objects=False):
    """Write an exposure with attached objects, each the index rows and tables that the functions above return.

    With ``only_objects`` nothing else is in the file.
    """
    rows, tables = [row for part in parts for row in part[0]], [made for part in parts for made in part[1]]
    names = ("id", "cat.archive" if points else "cat_archive", "cat.persistable" if points else "cat_persistable")
    columns = [(name, "J", [row[i] for row in rows]) for i, name in enumerate((*names, "row0", "nrows"))]
    columns += [("name", "64A", [row[5] for row in rows]), ("module", "64A", [b"lsst.afw"] * len(rows))]
    index = table(columns, EXTTYPE="ARCHIVE_INDEX", AR_NCAT=len(tables) + 1)
    if only_objects:
        fits.HDUList([fits.PrimaryHDU(), index, *tables]).writeto(path)
        return path
    primary = fits.PrimaryHDU()
    own = {"AR_HDU": 5, "FILTER": "HSC-I", "PSF_ID": 3, **(cards or {})}
    primary.header.update({f"HIERARCH {name}" if len(name) == 9 else name: value for name, value in own.items()})
    kind = fits.CompImageHDU if compressed else fits.ImageHDU
    planes = [kind(np.ones(SHAPE, np.float32)), kind(np.zeros(SHAPE, np.int32)), kind(np.full(SHAPE, 4.0, np.float32))]
    for plane, name in zip(planes, ("IMAGE", "MASK", "VARIANCE"), strict=True):
        plane.header["EXTTYPE"] = name
    planes[1].header["MP_SAT"] = 1
    fits.HDUList([primary, *planes, index, *tables]).writeto(path)
    return path
