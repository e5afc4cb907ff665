"""Whether a raw file can be of a camera, by the size of its images."""

from pathlib import Path

from obs.errors import ObsError
from obs.ingest.headers import FileHeader, read_headers
from obs.instrument.instrument import Instrument
from obs.instrument.readout_cards import read_window
from obs.instrument.recognize import recognize

__all__ = ["find_other_size"]


def find_other_size(path: Path, instrument: Instrument) -> str:
    """Return why a file is of another camera or read-out mode, by the size of its image; empty if it may be of this.

    Headers of two cameras can have the same name of the instrument. A file of the other would take the place of an
    exposure that has its number.

    Parameters
    ----------
    path : Path
        The file. Nothing is said of one that cannot be read, that has several images, or that is a window.
    instrument : Instrument
        The camera. Nothing is said where files hold amplifiers, planes or colors, whose images are put together, or
        images that are calibrated already.
    """
    if instrument.isr is not None or instrument.raw_dataset_type != "raw":
        return ""
    translator = instrument.make_translator()
    detectors = instrument.load_camera().detectors
    if translator.amplifier_files or translator.planes:
        return ""
    if any(d.color_plane is not None or d.overscan_hdus or any(a.raw_hdu for a in d.amplifiers) for d in detectors):
        return ""
    try:
        images = [header for _, header in read_headers(path) if _is_image(header)]
    except ObsError:
        return ""  # ingest says what is wrong with it
    if len(images) != 1 or recognize(images[0]) not in ("", instrument.name):
        return ""  # ingest names the camera that it is of
    size = (int(images[0].get("NAXIS2", 0)), int(images[0].get("NAXIS1", 0)))
    if read_window(images[0], size) is not None:
        return ""
    known = list(dict.fromkeys(detector.raw_shape for detector in detectors))
    if size in known:
        return ""
    words = " or ".join(f"{width} x {height}" for height, width in known)
    return (
        f"of another camera or read-out mode: its image has {size[1]} x {size[0]} pixels, those of "
        f"'{instrument.name}' have {words}"
    )


def _is_image(header: FileHeader) -> bool:
    return header.get("NAXIS") == 2 and str(header.get("XTENSION", "IMAGE")).startswith("IMAGE")
