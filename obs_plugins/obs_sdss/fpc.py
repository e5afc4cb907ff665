"""Corrected frames (fpC): flat-fielded, debiased, with defects and cosmic rays interpolated over.

Primary HDU, 1489 rows of 2048 columns, unsigned 16 bit. ``SOFTBIAS`` counts were added to keep the pixels positive. The
last 128 rows are the first ones of the next field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs_sdss.fits_input import open_fits

__all__ = ["FIELD_SHAPE", "FRAME_SHAPE", "CorrectedFrame", "read_fpc"]

FRAME_SHAPE = (1489, 2048)
FIELD_SHAPE = (1361, 2048)
DEFAULT_SOFT_BIAS = 1000


@dataclass(frozen=True)
class CorrectedFrame:
    """A corrected frame (fpC) of SDSS.

    Parameters
    ----------
    image : ndarray of float32, shape (1489, 2048)
        Counts without the soft bias, ADU; the overlap with the next field included.
    header : dict of str to Any
        The header's keywords, commentary left out.
    path : Path
        Where they come from.
    """

    image: NDArray[np.float32]
    header: dict[str, Any]
    path: Path


def read_fpc(path: Path, data_id: Mapping[str, Any]) -> CorrectedFrame:
    """Read a corrected frame (fpC) of SDSS.

    Parameters
    ----------
    path : Path
        The file, gzipped or not.
    data_id : mapping
        Its data ID; not needed.

    Returns
    -------
    CorrectedFrame
        Image and header.

    Raises
    ------
    FileFormatError
        If the file cannot be read or its image has another shape.
    """
    with open_fits(path, "fpC") as hdus:
        data, header = hdus[0].data, hdus[0].header
        if data is None or data.shape != FRAME_SHAPE:
            found = "no image" if data is None else f"an image of shape {data.shape}"
            raise FileFormatError(f"fpC file holds {found}, expected shape {FRAME_SHAPE}", path=path)
        image = data.astype(np.float32)
        image -= np.float32(header.get("SOFTBIAS", DEFAULT_SOFT_BIAS))
        cards = {key: value for key, value in header.items() if key not in ("COMMENT", "HISTORY", "")}
    return CorrectedFrame(image, cards, path)
