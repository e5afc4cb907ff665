"""Files of other cameras among those to be ingested."""

from pathlib import Path

from obs.errors import ObsError
from obs.ingest.headers import FileHeader
from obs.ingest.image_headers import first_image
from obs.instrument.instrument import make_translator
from obs.instrument.readout_cards import BINNING_CARDS
from obs.instrument.recognize import recognize
from obs.instrument.translator import Translator

__all__ = ["find_stranger", "unreadable_stranger"]


def find_stranger(header: FileHeader, translator: Translator, *, is_readable: bool = True) -> str:
    """Return why a file is of another camera, and of which; empty if nothing says so.

    One that can be read is of this camera unless a card says otherwise.

    Parameters
    ----------
    header : dict
        Cards of the file.
    translator : Translator
        That of the camera whose files are ingested.
    is_readable : bool, default: True
        Whether the translator can read the header.
    """
    card = translator.find_other_camera(header)
    if not card and (is_readable or translator.recognizes(header)):
        return ""
    if name := recognize(header):
        what = f": {card}" if card else ""
        return (
            f"of another camera{what}, which is installed as {name}: obs init DIR --camera {name}, then obs ingest DIR"
        )
    return f"of another {_what_differs(card)}: {card}" if card else ""


def _what_differs(card: str) -> str:
    """Return what a card, ``KEYWORD = value``, tells apart: read-out modes of one camera, or cameras."""
    return "read-out mode" if card.partition(" = ")[0] in BINNING_CARDS else "camera"


def unreadable_stranger(path: Path, reference: str | Translator) -> str:
    """Return why a file that cannot be read is of another camera; empty if nothing says so.

    Parameters
    ----------
    path : Path
        The file.
    reference : str or Translator
        The translator of the camera whose files are ingested, or where it is.
    """
    try:
        return find_stranger(first_image(path), make_translator(reference), is_readable=False)
    except ObsError:
        return ""
