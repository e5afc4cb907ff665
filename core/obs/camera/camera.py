"""A camera: its detectors, and the optics that put them on the sky.

From a pixel to the sky: pixels of a detector, places in the focal plane (mm), field angles (arcsec off the axis, in the
tangent plane), sky. The detector makes the first step, the camera the second, `obs.instrument.boresight_wcs` the third.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.camera.detector import Detector
from obs.camera.distortion import Distortion, RadialDistortion
from obs.errors import DataIdError, suggest
from obs.facts_text import facts_html, facts_text, rows_html
from obs.frozen import frozen

__all__ = ["Camera"]

_SHOWN = 10
"""Detectors that a notebook lists."""


@frozen
class Camera:
    """A camera with all of its detectors.

    Parameters
    ----------
    name : str
        Short name.
    plate_scale : float
        Scale at the center of the focal plane, arcsec/mm.
    detectors : tuple of Detector
        The detectors, in the order of the table.
    distortion : Distortion
        What the optics do beyond the plate scale; none if absent.
    rotation : float
        Angle from north to the focal plane's y axis, through east, when the rotator stands at zero, degrees.
    flip_x : bool
        Whether the focal plane's x axis, seen on the sky with y up, points left: east where y is north.

    Raises
    ------
    ValueError
        If the plate scale is not positive, or two detectors share an id or a name.

    Examples
    --------
    >>> from obs import load_instrument
    >>> camera = load_instrument("hsc").load_camera()
    >>> camera.detector(49).name
    '0_12'
    """

    name: str
    plate_scale: float
    detectors: tuple[Detector, ...]
    distortion: Distortion = field(default_factory=RadialDistortion)
    rotation: float = 0.0
    flip_x: bool = False

    def __post_init__(self) -> None:
        if not self.plate_scale > 0:
            raise ValueError(f"plate_scale must be positive, got {self.plate_scale} arcsec/mm")
        for detector in self.detectors:
            if self._by_name[detector.name] is not detector:
                raise ValueError(f"two detectors of camera '{self.name}' are called '{detector.name}'")
            other = self._by_id[detector.id]
            if other is not detector:
                raise ValueError(f"detectors '{detector.name}' and '{other.name}' share id {detector.id}")

    @cached_property
    def _by_name(self) -> dict[str, Detector]:
        return {detector.name: detector for detector in self.detectors}

    @cached_property
    def _by_id(self) -> dict[int, Detector]:
        return {detector.id: detector for detector in self.detectors}

    def __repr__(self) -> str:
        return facts_text(f"Camera {self.name}", self._facts())

    def _repr_html_(self) -> str:
        shown = [
            (d.id, d.name, d.type, f"{d.bbox.width} x {d.bbox.height}", len(d.amplifiers))
            for d in self.detectors[:_SHOWN]
        ]
        more = len(self.detectors) - len(shown)
        rows = [*shown, ("...", f"{more} more", "", "", "")] if more else shown
        below = rows_html(("id", "name", "type", "pixels", "amplifiers"), rows)
        return facts_html(f"Camera {self.name}", self._facts(), below=below)

    def _facts(self) -> dict[str, object]:
        kinds = Counter(detector.type for detector in self.detectors)
        sizes = Counter(f"{d.bbox.width} x {d.bbox.height}" for d in self.detectors)
        return {
            "detectors": ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
            "amplifiers": sum(len(detector.amplifiers) for detector in self.detectors),
            "pixels": ", ".join(sizes),
            "plate scale": f"{self.plate_scale:g} arcsec/mm",
            "orientation": f"y axis {self.rotation:g} deg from north to east{', x flipped' if self.flip_x else ''}",
        }

    def __len__(self) -> int:
        return len(self.detectors)

    def __iter__(self) -> Iterator[Detector]:
        return iter(self.detectors)

    def detector(self, key: int | str) -> Detector:
        """Return a detector by its id (int) or name (str).

        Parameters
        ----------
        key : int or str
            Id if it is an integer, name if it is a string, also one of digits.

        Raises
        ------
        DataIdError
            If there is none.
        """
        found = self._by_id.get(key) if isinstance(key, int) else self._by_name.get(key)
        if found is None:
            hint = suggest(key, (d.name for d in self.detectors)) if isinstance(key, str) else ""
            ids = sorted(d.id for d in self.detectors)
            span = f"{len(ids)} detectors, ids {ids[0]} to {ids[-1]}" if ids else "no detectors"
            raise DataIdError(f"camera '{self.name}' has no detector {key!r}; it has {span}{hint}", key="detector")
        return found

    def focal_plane_to_field(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the field angles of places in the focal plane.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Positions, mm.

        Returns
        -------
        x, y : ndarray of float64, shape (n,)
            Angles off the optical axis along the focal plane's axes, arcsec.
        """
        u, v = self.distortion.apply(x=np.asarray(x, np.float64), y=np.asarray(y, np.float64))
        return u * self.plate_scale, v * self.plate_scale

    def field_to_focal_plane(self, *, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the places in the focal plane of field angles, the inverse of `focal_plane_to_field`.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Angles off the optical axis along the focal plane's axes, arcsec.

        Returns
        -------
        x, y : ndarray of float64, shape (n,)
            Positions, mm; NaN so far out that the distortion has no inverse.
        """
        u, v = np.asarray(x, np.float64) / self.plate_scale, np.asarray(y, np.float64) / self.plate_scale
        return self.distortion.invert(x=u, y=v)

    def pixel_to_field(
        self, detector: Detector, *, x: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the angles in the field, from its center, at which a detector's pixels see the sky.

        Parameters
        ----------
        detector : Detector
            A detector of the camera.
        x, y : array_like of float
            Pixels, 0-based.

        Returns
        -------
        x, y : ndarray of float64
            Field angles, arcsec.
        """
        across, up = detector.pixel_to_focal_plane(x=x, y=y)
        return self.focal_plane_to_field(x=across, y=up)

    def field_to_pixel(
        self, detector: Detector, *, x: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pixels of a detector at angles in the field; the inverse of `pixel_to_field`.

        Parameters
        ----------
        detector : Detector
            A detector of the camera.
        x, y : array_like of float
            Field angles, arcsec.

        Returns
        -------
        x, y : ndarray of float64
            Pixels, 0-based; NaN where the optics have no inverse.
        """
        across, up = self.field_to_focal_plane(x=x, y=y)
        return detector.focal_plane_to_pixel(x=across, y=up)
