"""Resampled exposures on disk, of which some rows at a time are in memory."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import OutputError
from obs.geom import Box
from obs.repo.links_out import check_inside

__all__ = ["WarpStore"]

_PLANES = (np.dtype(np.float32), np.dtype(np.float32), np.dtype(np.int32))


class WarpStore:
    """Images, variances and masks in a temporary file, which is removed when the process ends, however that happens.

    Parameters
    ----------
    folder : Path
        Folder of the file: 12 bytes for each pixel of each exposure.

    Raises
    ------
    OutputError
        If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.boxes: list[Box] = []
        self._starts = [0]
        self._folder = folder
        check_inside(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".warps-")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """Close the stack and remove its temporary file."""
        self._file.close()

    def add_frame(self, box: Box) -> int:
        """Begin a frame that covers a box of the patch, and return its number.

        Parameters
        ----------
        box : Box
            Region of the patch, 0-based pixels of its outer box.
        """
        self.boxes.append(box)
        self._starts.append(self._starts[-1] + box.width * box.height * sum(kind.itemsize for kind in _PLANES))
        return len(self.boxes) - 1

    def write_rows(
        self,
        number: int,
        low: int,
        image: NDArray[np.float32],
        variance: NDArray[np.float32],
        mask: NDArray[np.int32],
    ) -> None:
        """Write rows of a frame, the first of which is row ``low`` of its box.

        Parameters
        ----------
        number : int
            Number of the frame, as `add_frame` returned it.
        low : int
            First row, from 0 at the lower edge of the frame's box.
        image, variance : ndarray of float32, shape (n, width)
            Pixels and their variances.
        mask : ndarray of int32, shape (n, width)
            Bits of the mask.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        try:
            for plane, kind in enumerate(_PLANES):
                self._seek(number, plane, low)
                self._file.write(np.ascontiguousarray((image, variance, mask)[plane], kind).data)
        except OSError as error:
            raise self._fault(error) from error

    def read_rows(
        self, number: int, low: int, high: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        """Return image, variance and mask of rows ``low`` to ``high`` of a frame's box.

        Parameters
        ----------
        number : int
            Number of the frame, as `add_frame` returned it.
        low, high : int
            First row, and the one after the last, from 0 at the lower edge of the frame's box.

        Returns
        -------
        image, variance : ndarray of float32, shape (high - low, width)
            Pixels and their variances.
        mask : ndarray of int32, shape (high - low, width)
            Bits of the mask.
        """
        self._file.flush()
        width = self.boxes[number].width
        planes: list[NDArray[Any]] = []
        for plane, kind in enumerate(_PLANES):
            self._seek(number, plane, low)
            planes.append(np.fromfile(self._file, kind, (high - low) * width).reshape(high - low, width))
        return planes[0], planes[1], planes[2]

    def _seek(self, number: int, plane: int, row: int) -> None:
        box = self.boxes[number]
        before = sum(kind.itemsize for kind in _PLANES[:plane]) * box.width * box.height
        self._file.seek(self._starts[number] + before + row * box.width * _PLANES[plane].itemsize)

    def _fault(self, error: OSError) -> OutputError:
        reason = error.strerror or str(error)
        return OutputError(f"cannot keep exposures in {self._folder}: {reason}; free some space", path=self._folder)
