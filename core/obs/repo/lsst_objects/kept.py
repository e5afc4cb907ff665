"""Attached objects of a file of the LSST stack, as they stand in it, for a file that is written with its contents."""

import gzip
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obs.errors import ObsError
from obs.repo.fits_file import open_fits
from obs.repo.lsst_objects.attached import KINDS, AttachedObjects

__all__ = ["archive_bytes", "kept_cards"]

_LOG = logging.getLogger(__name__)
_ARCHIVE = ("ARCHIVE_INDEX", "ARCHIVE_DATA")
#: Objects that a file of ours has in its own form: those of the archive do not count.
_OWN = ("PSF_ID", "SKYWCS_ID", "PHOTOCALIB_ID")
_GZIP = b"\x1f\x8b"


def archive_bytes(path: Path) -> bytes:
    """Return the HDUs of the archive of a file; nothing, with a warning, if it cannot be read any more."""
    try:
        with open_fits(path) as hdus:
            places = [hdu.fileinfo() for hdu in hdus[1:] if str(hdu.header.get("EXTTYPE", "")).strip() in _ARCHIVE]
        with open(path, "rb") as file:
            is_packed = file.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if is_packed else open(path, "rb") as file:
            whole = file.read()
    except (ObsError, OSError) as error:
        _LOG.warning("%s: the objects that are attached there are not kept: %s", path, error)
        return b""
    return b"".join(whole[place["hdrLoc"] : place["datLoc"] + place["datSpan"]] for place in places)


def kept_cards(attached: Mapping[str, Any], hdu: int) -> dict[str, int]:
    """Return the cards that name the attached objects of an exposure, whose index will be an HDU, counted from 1.

    Parameters
    ----------
    attached : mapping
        Attached objects that were read from a file. Any other mapping counts as none.
    hdu : int
        Number of the HDU of the archive's index, from 1.
    """
    numbers = attached.numbers if isinstance(attached, AttachedObjects) else {}
    return {"AR_HDU": hdu, **dict.fromkeys(_OWN, 0), **{KINDS[name][0][-1]: number for name, number in numbers.items()}}
