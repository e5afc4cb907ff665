"""The calibrations that the frames of one build have in common: each file is read once, and all of them share it."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from obs.frame_calibrations import ReadCalibration, locate_calibration, read_calibration
from obs.image.exposure import Exposure
from obs.repo.butler import Butler
from obs.repo.fits_checksum import checksums_compared
from obs.tasks.isr_config import IsrConfig

__all__ = ["KeptCalibrations"]


class KeptCalibrations:
    """Calibrations of one detector, in memory until they are released."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Path, ReadCalibration]] = {}
        self._locks: dict[str, Lock] = {}

    def read(self, butler: Butler, name: str, data_id: Mapping[str, Any], config: IsrConfig) -> ReadCalibration:
        """Do what `obs.frame_calibrations.read_calibration` does, but read a file only if it is another than before.

        Its pixels cannot be changed. Several threads may ask at the same time: one reads, the others wait.

        Parameters
        ----------
        butler : Butler
            Butler of the repository.
        name : str
            Type of the calibration, for example "bias".
        data_id : mapping
            Data ID of the frame to correct.
        config : IsrConfig
            Settings.
        """
        with self._locks.setdefault(name, Lock()), checksums_compared(config.compare_checksums):
            path = locate_calibration(butler, name, data_id, config)
            kept = self._kept.get(name)
            if kept is not None and path == kept[0]:
                return kept[1]
            # what is kept goes first: two of them are not in memory at the same time
            self._kept.pop(name, None)
            del kept
            found = read_calibration(butler, name, data_id, config)
            if path is not None and not found.problem:
                _protect(found.value)
                self._kept[name] = path, found
            return found

    def release(self) -> None:
        """Let go of all that is kept, and of its memory."""
        self._kept.clear()


def _protect(value: object) -> None:
    """Make the pixels of an exposure read-only."""
    if isinstance(value, Exposure):
        pixels = value.masked_image
        for plane in (pixels.image, pixels.mask.array, pixels.variance):
            plane.flags.writeable = False
