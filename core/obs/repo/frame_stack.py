"""Many frames of one shape on disk, of which some rows at a time are in memory."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import OutputError
from obs.repo.links_out import check_inside

__all__ = ["FrameStack"]

_PLANES = (np.dtype(np.float32), np.dtype(np.float32), np.dtype(np.bool_))


class FrameStack:
    """Frames in a temporary file, which goes with the process, however that ends.

    Parameters
    ----------
    folder : Path
        Folder of the file: 9 bytes for each pixel of each frame.
    shape : tuple of int
        Shape (ny, nx) of a frame.

    Raises
    ------
    OutputError
        If the file cannot be made.
    """

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self.shape, self.n_frame = shape, 0
        self._folder = folder
        self._plane_sizes = [shape[0] * shape[1] * kind.itemsize for kind in _PLANES]
        check_inside(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".frames-")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """Close the stack and remove its temporary file."""
        self._file.close()

    def add(self, image: NDArray[np.float32], variance: NDArray[np.float32], rejected: NDArray[np.bool_]) -> None:
        """Append the pixels of a frame to the stack.

        Parameters
        ----------
        image, variance : ndarray of float32, shape (ny, nx)
            Values and their variance.
        rejected : ndarray of bool, shape (ny, nx)
            Values that must not be used.

        Raises
        ------
        OutputError
            If the disk is full.
        ValueError
            If a plane has another shape.
        """
        planes = [
            np.ascontiguousarray(plane, kind) for plane, kind in zip((image, variance, rejected), _PLANES, strict=True)
        ]
        for plane in planes:
            if plane.shape != self.shape:
                raise ValueError(f"a frame of the stack has the shape {self.shape}, this one {plane.shape}")
        try:
            self._file.seek(self.n_frame * sum(self._plane_sizes))
            for plane in planes:
                self._file.write(plane.data)
            self._file.flush()
        except OSError as error:
            raise self._fault(error) from error
        self.n_frame += 1

    def read(self, low: int, high: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return rows of all frames.

        Parameters
        ----------
        low, high : int
            First row, and the row behind the last.

        Returns
        -------
        image, variance : ndarray of float32, shape (n_frame, high - low, nx)
        rejected : ndarray of bool, shape (n_frame, high - low, nx)
        """
        planes: list[NDArray[Any]] = [np.empty((self.n_frame, high - low, self.shape[1]), kind) for kind in _PLANES]
        for place, plane in enumerate(planes):
            for number in range(self.n_frame):
                self._fill(plane[number], number, place, low)
        return planes[0], planes[1], planes[2]

    def frame(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return image, variance and rejection, each of shape (ny, nx), of one frame.

        Parameters
        ----------
        number : int
            Number of the frame, from 0.

        Returns
        -------
        image, variance : ndarray of float32, shape (ny, nx)
            Pixels and their variances.
        rejected : ndarray of bool, shape (ny, nx)
            Values that must not be used.
        """
        return self.image(number), self._plane(number, 1), self._plane(number, 2)

    def image(self, number: int) -> NDArray[np.float32]:
        """Return the values of one frame, shape (ny, nx).

        Parameters
        ----------
        number : int
            Number of the frame, from 0.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            Pixels.
        """
        return self._plane(number, 0)

    def rejected(self, number: int) -> NDArray[np.bool_]:
        """Return the rejection of one frame, shape (ny, nx).

        Parameters
        ----------
        number : int
            Number of the frame, from 0.

        Returns
        -------
        ndarray of bool, shape (ny, nx)
            True where a value must not be used.
        """
        return self._plane(number, 2)

    def _plane(self, number: int, place: int) -> NDArray[Any]:
        plane = np.empty(self.shape, _PLANES[place])
        self._fill(plane, number, place)
        return plane

    def _fill(self, rows: NDArray[Any], number: int, place: int, low: int = 0) -> None:
        """Read rows of a plane of a frame, from the row ``low`` on. Several threads may read at the same time.

        Past the buffer of the file, which would read 8 kB for each row. Nothing waits there to be written.
        """
        start = number * sum(self._plane_sizes) + sum(self._plane_sizes[:place])
        os.preadv(self._file.fileno(), [rows.data], start + low * self.shape[1] * rows.itemsize)

    def reject(self, number: int, rejected: NDArray[np.bool_]) -> None:
        """Set which values of a frame, shape (ny, nx), must not be used.

        Parameters
        ----------
        number : int
            Number of the frame, from 0.
        rejected : ndarray of bool, shape (ny, nx)
            Replaces what was set before.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        try:
            self._file.seek(number * sum(self._plane_sizes) + sum(self._plane_sizes[:2]))
            self._file.write(np.ascontiguousarray(rejected, bool).data)
            self._file.flush()
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> OutputError:
        reason = error.strerror or str(error)
        return OutputError(f"cannot keep frames in {self._folder}: {reason}; free some space there", path=self._folder)
