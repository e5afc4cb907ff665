"""Divide the light of a blended footprint among its peaks.

Each peak gets a template: the PSF where the pixels around it agree with a point source, else the light that is
symmetric about the peak. The footprint's pixels are then apportioned in the ratio of the templates, so that the
children add up to their parent (Lupton's SDSS Photo deblender; Bosch et al. 2018, section 4.8).
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.label import select_regions
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.algorithms.sources.points import fit_points
from obs.algorithms.sources.templates import Template, make_templates
from obs.frozen import frozen
from obs.image.psf import Psf

__all__ = ["Children", "deblend"]


@frozen
class Children:
    """Pixels of deblended sources, one entry a pixel of a child, ordered by child.

    Parameters
    ----------
    peaks : Peaks
        One a child.
    start : ndarray of int64, shape (n_child + 1,)
        Entries of child k are ``start[k]`` to ``start[k + 1]``.
    pixel : ndarray of int32 or int64, shape (n_entry,)
        Flat index of the pixel in the image.
    flux : ndarray of float32, shape (n_entry,)
        The child's share of the pixel.
    is_psf : ndarray of bool, shape (n_child,)
        Whether the template was the PSF.
    """

    peaks: Peaks
    start: NDArray[np.int64]
    pixel: NDArray[np.signedinteger]
    flux: NDArray[np.float32]
    is_psf: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.peaks)

    @classmethod
    def none(cls) -> "Children":
        """Return an empty list of deblended children."""
        whole, real = np.zeros(0, np.int64), np.zeros(0, np.float32)
        return cls(Peaks(whole, whole, real, whole), np.zeros(1, np.int64), whole, real, np.zeros(0, bool))

    @property
    def owner(self) -> NDArray[np.int64]:
        """Number of the child of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def owner_of(self, entry: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the child of some entries.

        Parameters
        ----------
        entry : ndarray of int64
            Indices of entries, as those of ``pixel`` and ``flux``.
        """
        return np.searchsorted(self.start, entry, side="right") - 1


def deblend(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    footprints: Footprints,
    psf: Psf,
    *,
    fwhm: float,
    psf_chi2_cut: float = 1.5,
) -> Children:
    """Divide every footprint with more than one peak.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels and their variance, image units squared.
    footprints : Footprints
        Regions and peaks.
    psf : Psf
        Point-spread function.
    fwhm : float
        Its full width at half maximum, pixels.
    psf_chi2_cut : float, optional
        A peak whose surroundings fit the PSF with a smaller reduced chi-squared is taken for a point source.

    Returns
    -------
    Children
        In the order of the peaks of blended footprints.
    """
    n_peak = np.bincount(footprints.peaks.footprint, minlength=footprints.n + 1)
    peaks = footprints.peaks.select(n_peak[footprints.peaks.footprint] > 1)
    if not len(peaks):
        return Children.none()
    point = fit_points(image, variance, peaks, psf, fwhm, psf_chi2_cut)
    parts = make_templates(image, variance, footprints.labels, peaks, psf, point)
    total = np.zeros(image.size, np.float32)
    for part in parts:
        np.add.at(total, part.pixel, part.value)
    is_blend = n_peak > 1
    is_blend[0] = False
    unclaimed = select_regions(footprints.labels, is_blend).ravel()
    unclaimed &= total <= 0
    stray = np.flatnonzero(unclaimed)
    del unclaimed
    nearest = _nearest_peak(stray, footprints.labels, peaks)
    order = np.argsort(nearest, kind="stable")
    light = image.ravel()
    for k, part in enumerate(parts):
        share = part.value / total[part.pixel] * light[part.pixel]
        parts[k] = part._replace(value=share)
    small = parts[0].pixel.dtype if parts else np.dtype(np.int64)
    parts.append(Template(nearest[order], stray[order].astype(small), light[stray[order]]))
    start, pixel, flux = _by_child(parts, len(peaks))
    return Children(peaks, start, pixel, flux, point.accepted)


def _by_child(
    parts: list[Template], n: int
) -> tuple[NDArray[np.int64], NDArray[np.signedinteger], NDArray[np.float32]]:
    """Put the entries of each child together; return where they start, and their pixels and light."""
    start = np.zeros(n + 1, np.int64)
    for part in parts:
        start[1:] += np.bincount(part.child, minlength=n)
    np.cumsum(start, out=start)
    pixel = np.empty(start[-1], parts[0].pixel.dtype)
    flux = np.empty(start[-1], np.float32)
    free = start[:-1].copy()
    while parts:
        part = parts.pop()
        first = np.searchsorted(part.child, part.child)
        place = free[part.child] + np.arange(len(part.child)) - first
        pixel[place], flux[place] = part.pixel, part.value
        free += np.bincount(part.child, minlength=n)
    return start, pixel, flux


def _nearest_peak(pixel: NDArray[np.int64], labels: NDArray[np.int32], peaks: Peaks) -> NDArray[np.int64]:
    """Child to which light belongs that no template claims: the nearest peak of the same footprint."""
    if not len(pixel):
        return np.zeros(0, np.int64)
    apart = float(sum(labels.shape))
    tree = PointTree(np.c_[peaks.x, peaks.y, peaks.footprint * apart])
    y, x = np.divmod(pixel, labels.shape[1])
    return tree.nearest(np.c_[x, y, labels.ravel()[pixel] * apart])[1]
