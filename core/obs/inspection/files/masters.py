"""Calibration frames that were made of several, among the raw files of a camera."""

from collections.abc import Sequence

from obs.inspection.cards import Cards
from obs.inspection.header.exposure_time import find_exposure_time
from obs.inspection.header.image_types import find_image_type
from obs.inspection.header.processed import find_processing, is_stack
from obs.inspection.raw_file import RawFile
from obs.instrument.image_types import TAKES_MASTERS, type_of_master

__all__ = ["as_read_by_camera", "type_of_frame", "without_masters"]


def without_masters(files: tuple[RawFile, ...], warnings: list[str]) -> tuple[tuple[RawFile, ...], frozenset[str]]:
    """Return the files without calibration frames that were made of several, and the types of these.

    Their names, dates and numbers are not those of exposures. Where no science frame is beside them, they stay.

    Parameters
    ----------
    files : tuple of RawFile
        Files of one camera.
    warnings : list of str
        Receives one that names what is left out.
    """
    masters = {file.path: kind for file in files if (kind := _type_of_stack(file.cards))}
    raws = tuple(file for file in files if file.path not in masters)
    if not masters or not any(type_of_frame(file.cards) == "science" for file in raws):
        return files, frozenset()
    first, *others = masters
    warnings.append(
        f"{first.name}{f' and {len(others)} more' if others else ''}: made of several frames, so not taken for "
        f"what the camera writes; {TAKES_MASTERS} takes them"
    )
    return raws, frozenset(masters.values())


def _type_of_stack(cards: Cards) -> str:
    """Return the type of a calibration frame that was made of several; empty for others."""
    kind = type_of_master(cards)[0]
    if not kind and is_stack(cards):
        kind = str(type_of_frame(cards) or "")
    return kind if kind in ("bias", "dark", "flat") else ""


def type_of_frame(cards: Cards) -> object:
    """Return the image type that a header tells; None if it does not.

    Parameters
    ----------
    cards : Cards
        The header.
    """
    return find_image_type(cards, find_exposure_time(cards)[0]).value


def as_read_by_camera(files: Sequence[RawFile]) -> list[RawFile]:
    """Return the files whose pixels are as the camera read them: masters and stacks show neither overscan nor noise.

    Parameters
    ----------
    files : sequence of RawFile
        Files of one camera; all are returned if none is as it was read.
    """
    return [file for file in files if not any(find_processing(file.cards))] or list(files)
