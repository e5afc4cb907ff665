"""Noise that neighboring pixels share: left by resampling, by the background, by sources too faint to be seen.

The correlation of the sky at each distance is measured in squares spread over the image, with the pixels of sources and
defects left out. The noise of any weighted sum of pixels then follows from the autocorrelation of its weights.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.statistics import clipped_statistics
from obs.frozen import frozen
from obs.threads import map_threads

__all__ = ["NoiseCorrelation", "measure_noise_correlation"]

LARGEST_LAG = 24
"""Pixels further apart than this, in x or y, count as independent."""

SQUARE = 232
"""Size of the squares, pixels: a transform of 256 holds one and the largest distance."""

SAMPLE = 1_000_000
"""Of larger images every k-th row, which together have about this many pixels, tells the level of the sky."""

SQUARES = 12
"""Half a million pixels give a correlation to one in a thousand."""

CLIP = 4.0
"""Pixels further from the sky than this many sigma belong to sources."""

SAME_NOISE = 2.0
"""Pixels whose variance differs by more than this factor from that of their square are of another depth."""

LEAST_PAIRS = 20_000
"""Fewer pairs of pixels do not tell a correlation from chance."""

LEAST_SCATTER = 1e-3
"""Variance of the pixels that are not clipped, over that of the variance plane, below which they have no noise."""

RESAMPLED = 0.1
"""Neighbors of pixels as they were read out share less of their noise than this."""


@frozen(eq=False)
class NoiseCorrelation:
    """How the noise of pixels is correlated.

    Parameters
    ----------
    coefficient : ndarray of float64, shape (2 k + 1, 2 k + 1)
        Correlation of pixels at each distance in y and x; the middle one is one.
    sky_variance : float
        What the variance plane has for pixels of the sky, image units squared.
    excess : float
        Variance that the pixels of the sky show, in units of that.
    """

    coefficient: NDArray[np.float64]
    sky_variance: float
    excess: float

    @property
    def resampled(self) -> bool:
        """Whether neighbors share so much that the light of sources must have been spread with the noise."""
        middle = len(self.coefficient) // 2
        return bool(max(self.coefficient[middle, middle + 1], self.coefficient[middle + 1, middle]) > RESAMPLED)

    def variance_factor(self, weight: NDArray[np.float32] | NDArray[np.float64]) -> float:
        """Return the variance of a weighted sum of pixels, in units of its variance in independent noise.

        Parameters
        ----------
        weight : ndarray of float32 or float64, shape (h, w)
            Weights.
        """
        size = [n + LARGEST_LAG for n in weight.shape]
        power = np.abs(np.fft.rfft2(weight, size)) ** 2
        return float(np.sum(_lags(np.fft.irfft2(power, size)) * self.coefficient) / np.sum(np.square(weight)))


class _Square(NamedTuple):
    """Power spectra of the pixels, in units of their variance, and of where they are, and that variance."""

    noise: NDArray[np.float32]
    places: NDArray[np.float32]
    variance: NDArray[np.float32]


def measure_noise_correlation(
    image: NDArray[np.float32], variance: NDArray[np.float32], bad: NDArray[np.bool_]
) -> NoiseCorrelation:
    """Measure the correlation of the sky's noise.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels and their variance.
    bad : ndarray of bool, shape (ny, nx)
        Pixels to leave out: defects and sources.

    Returns
    -------
    NoiseCorrelation
        Independent noise as in the variance plane, where too few pixels are good, or those that are do not scatter.
    """
    expected: list[NDArray[np.float32]] = []
    step = max(2, image.size // SAMPLE)
    sky = clipped_statistics(image[::step][~bad[::step]])
    size = [SQUARE + LARGEST_LAG] * 2
    # sums of spectra, of which one transform gives the sums over all squares
    powers = np.zeros((2, size[0], size[1] // 2 + 1))

    def look(square: tuple[slice, slice]) -> _Square | None:
        plane, good = variance[square], ~bad[square]
        if not good.any():
            return None
        level = float(np.median(plane[good][::7]))
        if not level > 0:
            return None
        # a coadd has parts of different depth: each square is measured in units of its own noise
        good &= (plane < SAME_NOISE * level) & (plane * SAME_NOISE > level)
        noise = image[square] - sky.mean
        good &= np.abs(noise) < CLIP * max(sky.sigma, np.sqrt(level))
        noise, places = (
            np.square(spectrum.real) + np.square(spectrum.imag)
            for spectrum in (
                np.fft.rfft2(values, size)
                for values in (np.where(good, noise, np.float32(0.0)), good.astype(np.float32))
            )
        )
        noise /= np.float32(level)
        return _Square(noise, places, plane[good])

    for found in map_threads(look, _squares(image.shape)):
        if found is not None:
            powers += found.noise, found.places
            expected.append(found.variance)
    products, pairs = (_lags(np.fft.irfft2(power, size)) for power in powers)
    known_sky = np.concatenate(expected) if expected else np.empty(0, np.float32)
    sky_variance = float(np.median(known_sky[::7])) if len(known_sky) > LEAST_PAIRS else float("nan")
    # of a sky with hardly any photons, each pixel that has one is left out, and no other one scatters
    scatters = products[LARGEST_LAG, LARGEST_LAG] > LEAST_SCATTER * pairs[LARGEST_LAG, LARGEST_LAG]
    if not sky_variance > 0 or np.min(pairs) < LEAST_PAIRS or not scatters:
        independent = np.zeros((2 * LARGEST_LAG + 1, 2 * LARGEST_LAG + 1))
        independent[LARGEST_LAG, LARGEST_LAG] = 1.0
        known = variance[np.isfinite(variance) & (variance > 0)]
        return NoiseCorrelation(independent, float(np.median(known)) if known.size else 1.0, 1.0)
    covariance = np.asarray(products / pairs, np.float64)
    excess = float(covariance[LARGEST_LAG, LARGEST_LAG])
    return NoiseCorrelation(covariance / excess, sky_variance, excess)


def _squares(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Return squares spread evenly over an image."""
    n_y, n_x = (max(1, n // SQUARE) for n in shape)
    step = max(1, -(-n_y * n_x // SQUARES))
    chosen = [divmod(k, n_x) for k in range(0, n_y * n_x, step)]
    return [(slice(j * SQUARE, (j + 1) * SQUARE), slice(i * SQUARE, (i + 1) * SQUARE)) for j, i in chosen]


def _lags(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the part of a cyclic correlation up to the largest distance, the middle one for distance zero."""
    lag = np.arange(-LARGEST_LAG, LARGEST_LAG + 1)
    return np.asarray(correlation[lag[:, None], lag[None, :]], np.float64)
