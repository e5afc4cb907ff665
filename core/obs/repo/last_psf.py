"""The PSF of the last good exposure of each detector and filter, kept in an output for exposures without stars.

There is one small file for each detector and filter. It is replaced whenever an exposure with enough stars was
processed, so it is not one of the files that a result records as its inputs: metadata name the exposure instead.
"""

import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from astropy.io import fits

from obs.errors import FileFormatError
from obs.image.exposure import Exposure
from obs.image.known_psf import KnownPsf
from obs.image.psf import PixelPsf
from obs.repo.fits_file import card_value, header_to_dict, open_fits, set_cards, write_hdus
from obs.repo.fits_psf import PSF_EXTNAME, psf_bytes, psf_from_hdu

__all__ = ["LAST_PSF_FOLDER", "read_last_psf", "write_last_psf"]

#: Folder of an output that has these files.
LAST_PSF_FOLDER = "last_psf"
#: Cards that name the detector of an image that comes from anywhere.
_DETECTOR_CARDS = ("INSTRUME", "DETECTOR", "CCDNAME")
_NAME_LENGTH = 60


def write_last_psf(root: Path, exposure: Exposure, name: str) -> None:
    """Write the PSF of a good exposure, in place of that of an earlier one.

    Parameters
    ----------
    root : Path
        The output.
    exposure : Exposure
        With its PSF. Nothing is written for one whose detector is not known.
    name : str
        Data ID or file name of the exposure.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    facts = _identity(exposure)
    if facts is None or not isinstance(exposure.psf, PixelPsf):
        return
    info, primary = exposure.visit_info, fits.PrimaryHDU()
    date = "" if info is None else info.date_avg or info.date_begin
    cards = {"EXPOSURE": name, "DATE-OBS": (date, "when it was taken")}
    set_cards(primary.header, facts | cards)
    write_hdus(root / LAST_PSF_FOLDER / _file_name(facts), [primary], psf_bytes(exposure.psf))


def read_last_psf(roots: Iterable[Path], exposure: Exposure) -> KnownPsf | None:
    """Read the PSF of the last good exposure of the same detector and filter.

    Parameters
    ----------
    roots : iterable of Path
        Outputs, the nearest first.
    exposure : Exposure
        The exposure that needs one.

    Returns
    -------
    KnownPsf or None
        None where there is none, or its file is damaged.
    """
    facts = _identity(exposure)
    if facts is None:
        return None
    for root in roots:
        path = root / LAST_PSF_FOLDER / _file_name(facts)
        if not path.is_file():
            continue
        try:
            with open_fits(path) as hdus:
                cards, psf = header_to_dict(hdus[0].header), psf_from_hdu(hdus[PSF_EXTNAME])
        except (FileFormatError, KeyError):
            continue  # the next exposure with stars replaces it
        if all(str(cards.get(card) or "") == str(card_value(value) or "") for card, value in facts.items()):
            return KnownPsf(psf, str(cards.get("EXPOSURE", "")), str(cards.get("DATE-OBS") or ""))
    return None


def _identity(exposure: Exposure) -> dict[str, str | int] | None:
    """Return what exposures must share if one is to have the PSF of the other; None if the detector is not known."""
    named = (str(exposure.metadata.get(card) or "").strip() for card in _DETECTOR_CARDS)
    detector = exposure.detector_name or " ".join(filter(None, named))
    if not detector.strip():
        return None
    height, width = exposure.shape
    return {"DETNAME": detector.strip(), "FILTER": exposure.physical_filter, "IMWIDTH": width, "IMHEIGHT": height}


def _file_name(facts: dict[str, str | int]) -> str:
    """Return a file name that is safe, readable, and another one for other facts."""
    words = f"{facts['DETNAME']}-{facts['FILTER']}"
    checksum = zlib.crc32(repr(sorted(facts.items())).encode())
    return f"{re.sub(r'[^A-Za-z0-9.+-]+', '_', words)[:_NAME_LENGTH].strip('._')}-{checksum:08x}.fits"
