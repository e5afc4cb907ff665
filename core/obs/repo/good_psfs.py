"""PSFs of good exposures, kept in an output for exposures without stars.

Each exposure with enough stars has one small file, in a folder of its detector and filter. An exposure without stars
gets the PSF that was taken nearest to it in time: that depends on which exposures are there, not on the order in which
they were processed. Files come and go with exposures, so results do not record them as inputs: metadata name the
exposure instead.
"""

import math
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from astropy.io import fits

from obs.errors import FileFormatError
from obs.image.exposure import Exposure
from obs.image.known_psf import KnownPsf
from obs.image.psf import PixelPsf
from obs.instrument.card_values import parse_date
from obs.repo.fits_file import card_value, header_to_dict, open_fits, set_cards, write_hdus
from obs.repo.fits_psf import PSF_EXTNAME, psf_bytes, psf_from_hdu
from obs.repo.links_out import check_inside

__all__ = ["GOOD_PSF_FOLDER", "PsfAwaitedError", "read_nearest_psf", "remove_good_psf", "write_good_psf"]

#: Folder of an output that has these files.
GOOD_PSF_FOLDER = "good_psf"
#: Cards that name the detector of an image that comes from anywhere.
_DETECTOR_CARDS = ("INSTRUME", "DETECTOR", "CCDNAME")
_NAME_LENGTH = 60
_DATE_FORMAT = "%Y%m%dT%H%M%S"
_NO_DATE = "undated"


class PsfAwaitedError(Exception):
    """An exposure needs the PSF of another one, which may still be processed: it is to be tried again after the others.

    It never reaches a user: `obs.runs.two_passes` tries again.
    """


def write_good_psf(root: Path, exposure: Exposure, name: str) -> None:
    """Write the PSF of a good exposure.

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
    primary = fits.PrimaryHDU()
    set_cards(primary.header, facts | {"EXPOSURE": name, "DATE-OBS": (_date(exposure), "when it was taken")})
    write_hdus(_folder(root, facts) / _file_name(exposure, name), [primary], psf_bytes(exposure.psf))


def remove_good_psf(root: Path, exposure: Exposure, name: str) -> None:
    """Remove the PSF that an earlier run wrote for an exposure.

    Parameters
    ----------
    root : Path
        The output.
    exposure : Exposure
        The exposure.
    name : str
        Its data ID or file name.

    Raises
    ------
    OSError
        If there is one, and it cannot be removed.
    """
    if (facts := _identity(exposure)) is not None:
        folder = _folder(root, facts)
        check_inside(folder)
        (folder / _file_name(exposure, name)).unlink(missing_ok=True)


def read_nearest_psf(roots: Iterable[Path], exposure: Exposure) -> KnownPsf | None:
    """Read the PSF of the good exposure of the same detector and filter that is nearest in time.

    Parameters
    ----------
    roots : iterable of Path
        Outputs. Those of the first one that has any count.
    exposure : Exposure
        The exposure that needs one.

    Returns
    -------
    KnownPsf or None
        None where there is none, or files are damaged. Of exposures without a date the last name counts, after those
        with one.
    """
    facts = _identity(exposure)
    if facts is None:
        return None
    wanted = _moment(_date(exposure))
    for root in roots:
        for path in _nearest_first(_folder(root, facts), wanted):
            try:
                with open_fits(path, is_own=True) as hdus:
                    cards, psf = header_to_dict(hdus[0].header), psf_from_hdu(hdus[PSF_EXTNAME])
            except (FileFormatError, KeyError):
                continue
            if all(str(cards.get(card) or "") == str(card_value(value) or "") for card, value in facts.items()):
                return KnownPsf(psf, str(cards.get("EXPOSURE", "")), str(cards.get("DATE-OBS") or ""))
    return None


def _nearest_first(folder: Path, wanted: datetime | None) -> Iterator[Path]:
    """Yield the files of a folder, those of exposures near a date first."""

    def distance(path: Path) -> float:
        with suppress(ValueError):
            moment = datetime.strptime(path.name.partition("-")[0], _DATE_FORMAT)
            return math.inf if wanted is None else abs((moment - wanted).total_seconds())
        return math.inf

    yield from sorted(sorted(folder.glob("*.fits"), reverse=True), key=distance)


def _date(exposure: Exposure) -> str:
    info = exposure.visit_info
    return "" if info is None else info.date_avg or info.date_begin


def _moment(date: str) -> datetime | None:
    """Return a date to the second, None where there is none."""
    try:
        return parse_date(date).replace(microsecond=0, tzinfo=None) if date else None
    except FileFormatError:
        return None


def _identity(exposure: Exposure) -> dict[str, str | int] | None:
    """Return what exposures must share if one is to have the PSF of the other; None if the detector is not known."""
    named = (str(exposure.metadata.get(card) or "").strip() for card in _DETECTOR_CARDS)
    detector = exposure.detector_name or " ".join(filter(None, named))
    if not detector.strip():
        return None
    height, width = exposure.shape
    return {"DETNAME": detector.strip(), "FILTER": exposure.physical_filter, "IMWIDTH": width, "IMHEIGHT": height}


def _folder(root: Path, facts: dict[str, str | int]) -> Path:
    """Return the folder of a detector and filter, whose name is safe, readable, and another one for other facts."""
    words = f"{facts['DETNAME']}-{facts['FILTER']}"
    checksum = zlib.crc32(repr(sorted(facts.items())).encode())
    return (
        root / GOOD_PSF_FOLDER / f"{re.sub(r'[^A-Za-z0-9.+-]+', '_', words)[:_NAME_LENGTH].strip('._')}-{checksum:08x}"
    )


def _file_name(exposure: Exposure, name: str) -> str:
    """Return the name of an exposure's file, which begins with its date."""
    moment = _moment(_date(exposure))
    return f"{_NO_DATE if moment is None else moment.strftime(_DATE_FORMAT)}-{zlib.crc32(name.encode()):08x}.fits"
