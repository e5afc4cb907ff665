"""A camera: its detectors, and the optics that put them on the sky."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.camera.detector import Detector
from obs.errors import DataIdError, suggest

__all__ = ["Camera", "RadialDistortion"]


@dataclass(frozen=True, slots=True)
class RadialDistortion:
    """How far off the axis the optics see a point of the focal plane, beyond the plate scale.

    A point at radius r mm is seen at ``plate_scale * r * (1 + c[0] r^2 + c[1] r^4 + ...)`` arcsec.

    Parameters
    ----------
    coefficients : tuple of float
        The c, per mm^2, per mm^4 and so on; none for optics without distortion.
    """

    coefficients: tuple[float, ...] = ()

    def stretch(self, radius: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the factor to the plate scale at radii (ndarray of float64, mm); same shape."""
        square, factor = radius**2, np.ones_like(radius)
        power = np.ones_like(radius)
        for coefficient in self.coefficients:
            power = power * square
            factor = factor + coefficient * power
        return factor


@dataclass(frozen=True)
class Camera:
    """A camera.

    Parameters
    ----------
    name : str
        Short name.
    plate_scale : float
        Scale at the centre of the focal plane, arcsec/mm.
    detectors : tuple of Detector
        The detectors, in the order of the table.
    distortion : RadialDistortion
        The optics' distortion.
    rotation : float
        Angle from north to the focal plane's y axis, through east, when the rotator stands at zero, degrees.
    flip_x : bool
        Whether the focal plane's x axis, seen on the sky with y up, points left: east where y is north.

    Raises
    ------
    ValueError
        If the plate scale is not positive, or two detectors share an id or a name.
    """

    name: str
    plate_scale: float
    detectors: tuple[Detector, ...]
    distortion: RadialDistortion = field(default_factory=RadialDistortion)
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

    def __len__(self) -> int:
        return len(self.detectors)

    def __iter__(self) -> Iterator[Detector]:
        return iter(self.detectors)

    def detector(self, key: int | str) -> Detector:
        """Return a detector by its id (int) or name (str).

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
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        scale = self.plate_scale * self.distortion.stretch(np.hypot(x, y))
        return x * scale, y * scale
