"""Cosmic rays in frames without light, which are sharper than light could be, and in one frame only."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.cosmic_rays import find_cosmic_rays
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.algorithms.pixels.runs import grow_pixels
from obs.algorithms.sky.background import fit_background
from obs.config.base import TaskConfig, setting
from obs.frozen import frozen
from obs.threads import map_threads

__all__ = ["DarkHitsConfig", "find_dark_hits"]

_STAMP = 21
_SAMPLE = 200_000
"""Pixels that are enough to measure the noise."""
_BLOCK, _MARGIN = 1 << 20, 64
"""Pixels that are looked at a time, and rows around them: longer hits are found in parts."""
_PERCENTILE, _SIGMA_OF_PERCENTILE = 84.0, 1.405
"""Percentile of absolute differences that tells their noise, and its value for a Gaussian of unit width."""
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


class DarkHitsConfig(TaskConfig):
    """How cosmic rays in single dark frames are found."""

    enabled: bool = setting(True, "Find cosmic rays in each dark before darks are combined.")
    fwhm: float = setting(
        3.0,
        "Full width at half maximum of a Gaussian that hits are sharper than. Raise it if wide hits stay.",
        unit="pixel",
        gt=0,
    )
    min_sigma: float = setting(
        6.0, "Minimum significance of a cosmic-ray hit above its neighbors, in standard deviations.", unit="sigma", gt=0
    )
    min_counts: float = setting(
        150.0, "Minimum sum of a hit above its neighbors. Lower it if faint hits stay in the dark.", unit="adu", ge=0
    )
    grow: int = setting(2, "Distance from hits within which values of the same frame are rejected.", unit="pixel", ge=0)
    bin_size: int = setting(
        128, "Size of the mesh cells in which the background below hits is measured.", unit="pixel", ge=8
    )


def find_dark_hits(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    bad: NDArray[np.bool_],
    config: DarkHitsConfig,
    *,
    lowest: NDArray[np.float32] | None = None,
    lowest_variance: NDArray[np.float32] | None = None,
    scale: float = 1.0,
) -> NDArray[np.bool_]:
    """Find the values of a dark that cosmic rays have spoilt.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        The dark, and its variance.
    bad : ndarray of bool, shape (ny, nx)
        Pixels that are bad already.
    config : DarkHitsConfig
        Settings.
    lowest : ndarray of float32, shape (ny, nx), optional
        Value of every pixel without hits, which hot pixels have in all darks: the combination of all darks without
        outliers, or the lowest value of darks of the same noise. Without it hot pixels are taken for hits.
    lowest_variance : ndarray of float32, shape (ny, nx), optional
        Its variance; that of the dark if not given.
    scale : float, optional
        ADU of one unit of the image.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
        Hits, grown.
    """
    place = np.arange(_STAMP) - _STAMP // 2
    square = place[:, None] ** 2 + place[None, :] ** 2
    star = np.exp(-0.5 * square * (_FWHM_PER_SIGMA / config.fwhm) ** 2).astype(np.float32)
    steady = fit_background(image, bad, bin_size=config.bin_size).image() if lowest is None else lowest
    steady_variance = None if lowest is None else variance if lowest_variance is None else lowest_variance
    dark = _Dark(image, variance, bad, steady, steady_variance)
    factor = dark.noise_factor()
    hits = np.zeros(image.shape, bool)

    def search(inner: slice) -> None:
        # a hit at the border of a block is seen whole by both
        rows = slice(max(inner.start - _MARGIN, 0), min(inner.stop + _MARGIN, len(image)))
        excess, noise, known = dark.excess(rows)
        found = find_cosmic_rays(
            excess,
            noise * np.float32(factor**2),
            star,
            bad=~known,
            min_sigma=config.min_sigma,
            min_counts=config.min_counts / scale,
        )
        hits[inner] = found[inner.start - rows.start : inner.stop - rows.start]

    map_threads(search, row_blocks((image.shape[0], image.shape[1]), _BLOCK))
    row, column = np.nonzero(hits)
    hits[grow_pixels(row, column, config.grow, (len(image), image.shape[1]))] = True
    return hits


@frozen
class _Dark:
    """A dark beside what all darks have in common, of which some rows are looked at a time."""

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    bad: NDArray[np.bool_]
    steady: NDArray[np.float32]
    steady_variance: NDArray[np.float32] | None

    def excess(self, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return the light beyond, zero where it is not known, its variance, and where it is known."""
        steady, variance = self.steady[rows], self.variance[rows]
        known = ~self.bad[rows] & np.isfinite(steady) & (variance > 0)
        total = variance if self.steady_variance is None else variance + self.steady_variance[rows]
        excess = np.where(known, self.image[rows] - steady, np.float32(0.0))
        return excess, np.where(known, total, np.float32(1.0)), known

    def noise_factor(self) -> float:
        """Return the noise beyond that of the variance, at least one.

        A difference that most pixels have, such as that of darks of other noise, is not a hit.
        """
        excess, noise, known = self.excess(slice(None, None, max(1, self.image.size // _SAMPLE)))
        if not known.any():
            return 1.0
        difference = np.abs(excess[known]) / np.sqrt(noise[known])
        return max(float(np.percentile(difference, _PERCENTILE)) / _SIGMA_OF_PERCENTILE, 1.0)
