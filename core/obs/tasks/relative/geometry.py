"""The focal plane as the common fit sees it: one smooth map a visit, and small displacements of each detector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.image.tangent_plane import to_plane
from obs.tasks.relative.frames import FrameStars
from obs.tasks.relative.polynomials import n_terms, polynomial_terms

__all__ = ["FocalPlane", "make_focal_plane"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GRID = 12  # positions along each side of a detector


@frozen
class FocalPlane:
    """Scaled coordinates, and the map of each visit from the focal plane to the tangent plane before the fit.

    Parameters
    ----------
    visits : list of str
        Names of the visits.
    detectors : list of int
        Ids of the detectors.
    visit, detector : ndarray of int, shape (n_frame,)
        Number of visit and detector of each frame in these lists.
    middle, half : ndarray of float64, shape (2,)
        Middle and half width of the part of the focal plane in use, mm.
    order : int
        Order of the maps.
    maps : ndarray of float64, shape (n_visit, n_terms, 2)
        Coefficients of the maps, arcsec in the tangent plane.
    """

    visits: list[str]
    detectors: list[int]
    visit: Ints
    detector: Ints
    middle: Floats
    half: Floats
    order: int
    maps: Floats

    def scaled(self, frame: FrameStars, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return places in the focal plane, scaled to -1 to 1, of pixels of a frame.

        Parameters
        ----------
        frame : FrameStars
            The frame, with its detector.
        x, y : ndarray of float64, shape (n,)
            Positions on the detector, 0-based pixels.
        """
        across, up = frame.detector.pixel_to_focal_plane(x=x, y=y)
        return (across - self.middle[0]) / self.half[0], (up - self.middle[1]) / self.half[1]

    def on_detector(self, frame: FrameStars, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return pixels of a frame, scaled to -1 to 1.

        Parameters
        ----------
        frame : FrameStars
            The frame.
        x, y : ndarray of float64, shape (n,)
            Positions on the detector, 0-based pixels.
        """
        height, width = frame.shape
        return 2.0 * x / max(width - 1, 1) - 1.0, 2.0 * y / max(height - 1, 1) - 1.0

    def base(self, number: int, frame: FrameStars, x: Floats, y: Floats) -> Floats:
        """Return places in the tangent plane by the map of the visit, arcsec, shape (n, 2).

        Parameters
        ----------
        number : int
            Number of the frame among all frames; it decides the visit.
        frame : FrameStars
            That frame.
        x, y : ndarray of float64, shape (n,)
            Positions on the detector, 0-based pixels.
        """
        terms = polynomial_terms(*self.scaled(frame, x, y), self.order)
        return np.asarray(terms @ self.maps[self.visit[number]])

    def axes(self, number: int, frame: FrameStars) -> Floats:
        """Return the directions of the pixel axes in the tangent plane, at the middle of a frame, shape (2, 2).

        Parameters
        ----------
        number : int
            Number of the frame among all frames.
        frame : FrameStars
            That frame.

        Returns
        -------
        ndarray of float64, shape (2, 2)
            The columns are the directions of x and y. The absolute value of its determinant is 1.
        """
        x, y = 0.5 * frame.shape[1], 0.5 * frame.shape[0]
        places = self.base(number, frame, np.array([x, x + 1.0, x]), np.array([y, y, y + 1.0]))
        matrix = (places[1:] - places[0]).T
        return np.asarray(matrix / np.sqrt(abs(np.linalg.det(matrix))))


def make_focal_plane(frames: Sequence[FrameStars], center: tuple[float, float], order: int) -> FocalPlane:
    """Fit the map of each visit to the WCSs of its frames.

    Parameters
    ----------
    frames : sequence of FrameStars
        The frames.
    center : tuple of float
        Tangent point, degrees.
    order : int
        Order of the maps.
    """
    visits = list(dict.fromkeys(frame.visit for frame in frames))
    detectors = sorted({frame.detector.id for frame in frames})
    visit = np.array([visits.index(frame.visit) for frame in frames])
    detector = np.array([detectors.index(frame.detector.id) for frame in frames])
    grids = [grid(frame.shape) for frame in frames]
    focal = [np.stack(f.detector.pixel_to_focal_plane(x=x, y=y), 1) for f, (x, y) in zip(frames, grids, strict=True)]
    low, high = np.min([part.min(axis=0) for part in focal], 0), np.max([part.max(axis=0) for part in focal], 0)
    plane = FocalPlane(
        visits,
        detectors,
        visit,
        detector,
        0.5 * (low + high),
        0.5 * (high - low),
        order,
        np.zeros((len(visits), n_terms(order), 2)),
    )
    for number in range(len(visits)):
        members = np.flatnonzero(visit == number).tolist()
        terms = np.concatenate([polynomial_terms(*plane.scaled(frames[i], *grids[i]), order) for i in members])
        sky = [frames[i].wcs.pixel_to_sky(x=grids[i][0], y=grids[i][1]) for i in members]
        places = np.concatenate([3600.0 * np.stack(to_plane(center, *place), axis=1) for place in sky])
        plane.maps[number] = np.linalg.lstsq(terms, places, rcond=None)[0]
    return plane


def grid(shape: tuple[int, int], n: int = _GRID) -> tuple[Floats, Floats]:
    """Return positions all over a detector, pixels, shape (n * n,)."""
    x, y = np.meshgrid(np.linspace(-0.5, shape[1] - 0.5, n), np.linspace(-0.5, shape[0] - 0.5, n))
    return x.ravel(), y.ravel()
