"""Calibrated exposures of a repository, by their files, and where they are on the sky."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError, FileFormatError
from obs.frozen import frozen
from obs.image.exposure import Exposure
from obs.image.wcs import TanSipWcs
from obs.plural import count_of
from obs.policy.data_id import DataId, format_data_id
from obs.policy.dataset_type import DatasetType
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.repo.frame_types import OtherFrames

__all__ = ["Frame", "describe_failed", "describe_missing", "find_failed", "find_frames", "frames_with"]

_LOG = logging.getLogger(__name__)
_PER_SIDE = 5
_NAMED = 3
#: What to do with an exposure that is not calibrated.
_REMEDY = "process it with a reference catalog that covers it"


@frozen
class Frame:
    """A calibrated exposure of which the header alone was read.

    Parameters
    ----------
    data_id : dict
        Its data ID.
    wcs : TanSipWcs
        Pixel to sky.
    shape : tuple of int
        Shape (ny, nx) of the image.
    """

    data_id: DataId
    wcs: TanSipWcs
    shape: tuple[int, int]

    @property
    def name(self) -> str:
        """The data ID as text."""
        return format_data_id(self.data_id)

    def corners(self) -> NDArray[np.float64]:
        """Return right ascension and declination, degrees, of the corners, shape (4, 2)."""
        return self.outline(1)

    def outline(self, per_side: int = _PER_SIDE) -> NDArray[np.float64]:
        """Return right ascension and declination, degrees, of points along the border, shape (n, 2).

        Parameters
        ----------
        per_side : int
            Number of points along each side, which begin at the outer corner of the first pixel.
        """
        height, width = self.shape
        ramp = np.arange(per_side) / per_side
        x = np.concatenate([ramp, np.ones(per_side), 1 - ramp, np.zeros(per_side)]) * width - 0.5
        y = np.concatenate([np.zeros(per_side), ramp, np.ones(per_side), 1 - ramp]) * height - 0.5
        return np.stack(self.wcs.pixel_to_sky(x=x, y=y), axis=1)

    def holds(self, ra: float, dec: float) -> bool:
        """Return whether a position, degrees, is on the image.

        Parameters
        ----------
        ra, dec : float
            Position, degrees.
        """
        x, y = self.wcs.sky_to_pixel(ra=ra, dec=dec)
        height, width = self.shape
        return bool(-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5)


def find_frames(
    butler: Butler, wanted: Sequence[Mapping[str, Any]] = (), *, dataset_type: str = "calexp"
) -> list[Frame]:
    """Return the calibrated exposures whose files are there and that have a WCS, sorted by their data IDs.

    Parameters
    ----------
    butler : Butler
        The repository; its parents count, too.
    wanted : sequence of mapping, optional
        Data IDs of which one must agree with the exposure's; none means all.
    dataset_type : str, optional
        Type of the exposures.
    """
    kind = butler.mapper.dataset_type(dataset_type)
    found: dict[str, DataId] = {}
    for data_id in _data_ids(butler, kind, wanted):
        found.setdefault(format_data_id(data_id), data_id)
    frames = []
    for name, data_id in sorted(found.items(), key=lambda item: tuple(item[1].values())):
        try:
            wcs = butler.get(f"{dataset_type}_wcs", data_id)
            box = butler.get(f"{dataset_type}_bbox", data_id)
        except DatasetNotFoundError:
            _LOG.warning("%s: left out, it has no WCS; %s", name, _REMEDY)
            continue
        except FileFormatError as error:
            _LOG.warning("%s: left out, its WCS cannot be read: %s", name, error)
            continue
        frames.append(Frame(data_id, wcs, box.shape))
    return frames


def describe_missing(exposure: Exposure) -> str:
    """Return which of WCS, zero point and PSF an exposure lacks, and what to do, for after "it has".

    Parameters
    ----------
    exposure : Exposure
        A calexp.
    """
    parts = (("WCS", exposure.wcs), ("zero point", exposure.photo_calib), ("PSF", exposure.psf))
    missing = [name for name, part in parts if part is None]
    remedy = "process it again" if "PSF" in missing else _REMEDY
    if missing == ["zero point"]:
        remedy += " and has the band of its filter"
    return f"no {' and no '.join(missing)}; {remedy}"


def _data_ids(butler: Butler, kind: DatasetType, wanted: Sequence[Mapping[str, Any]]) -> Iterator[DataId]:
    """Yield the data IDs of files; keys that names of files do not have, such as a filter, are those of raw data."""
    raw = butler.instrument.raw_dataset_type
    keys = [key for key in butler.get_keys(raw) if key in kind.keys]
    in_names: list[Mapping[str, Any]] = []
    for one in wanted:
        if all(key in kind.keys for key in one):
            in_names.append(one)
        else:
            in_names += [dict(zip(keys, row, strict=True)) for row in butler.query_metadata(raw, keys, one)]
    if in_names or not wanted:
        for _, data_id, _ in iterate_datasets(butler.roots, [kind], in_names):
            yield data_id


def find_failed(butler: Butler, wanted: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Return the data IDs, as text, of exposures that were processed without a calibrated exposure to show for it.

    Biases, darks and flats never give one, and are not named.

    Parameters
    ----------
    butler : Butler
        The repository.
    wanted : sequence of mapping, optional
        Data IDs of which one must agree with the exposure's; none means all.
    """
    kind = butler.mapper.policy.dataset_types.get("processCcd_metadata")
    if kind is None:
        return []
    found: dict[str, DataId] = {}
    for data_id in _data_ids(butler, kind, wanted):
        found.setdefault(format_data_id(data_id), data_id)
    calexp = butler.mapper.dataset_type("calexp")
    # templates of metadata may leave out keys that those of images have
    keys = [key for key in kind.keys if key in calexp.keys]
    there = {tuple(data_id[key] for key in keys) for data_id in _data_ids(butler, calexp, wanted)}
    failed = {name: one for name, one in found.items() if tuple(one[key] for key in keys) not in there}
    others = OtherFrames(butler) if failed else None
    return [name for name, one in failed.items() if others is None or others.kind(one) is None]


def describe_failed(butler: Butler, wanted: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """Return the start of a sentence about the exposures of `find_failed`; None if there are none.

    Parameters
    ----------
    butler : Butler
        The repository.
    wanted : sequence of mapping, optional
        Data IDs of which one must agree with the exposure's; none means all.
    """
    failed = find_failed(butler, wanted)
    if not failed:
        return None
    named = "; ".join(failed[:_NAMED]) + ("; ..." if len(failed) > _NAMED else "")
    whose = "its" if len(failed) == 1 else "their"
    return f"{count_of(len(failed), 'exposure')} failed in obs process, or {whose} calexp is gone: {named}"


def frames_with(frames: Sequence[Frame], ra: float, dec: float) -> list[Frame]:
    """Return the frames that hold a position, degrees.

    Parameters
    ----------
    frames : sequence of Frame
        Frames to choose from.
    ra, dec : float
        Position, degrees.
    """
    return [frame for frame in frames if frame.holds(ra, dec)]
