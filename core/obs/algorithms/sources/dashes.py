"""Find sources that lie on one line and are drawn out along it: the dashes of aircraft, and flashes of what tumbles."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.special import poisson_above
from obs.algorithms.pixels.window import plane_windows

__all__ = ["find_dashes"]

Floats = NDArray[np.float64]

DRAWN_OUT, ACROSS = 0.3, 0.5
"""Least second moment along a dash beyond that of the typical source, over the latter; largest one across it, over that
along it."""

ALIGNED = np.radians(10.0)
"""Largest angle between a dash and the line."""

BESIDE = 0.7
"""Largest distance from the line, FWHM."""

FEWEST, CHANCE = 8, 1e-5
"""Fewest dashes of a line, and the number of such lines that chance may make in an image."""

LONG = 100.0
"""Least length of a line, FWHM: spikes of bright stars and large galaxies, which break up into sources, are shorter."""

SPIKED, BESIDE_STAR = 50.0, 4.0
"""Least brightness of a star that may have spikes, in terms of the dashes near it, and the largest distance of its peak
from them, FWHM. Spikes of several stars have one direction, and may share a line."""

MOST, MOST_PAIRS = 400, 5000
"""Most sources, the brightest ones, and pairs of them that are looked at."""


def find_dashes(
    image: NDArray[np.float32], row: NDArray[np.int64], column: NDArray[np.int64], fwhm: float
) -> NDArray[np.bool_]:
    """Return which sources are on a line of dashes, shape (n,).

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    row, column : ndarray of int64, shape (n,)
        Peaks of the sources.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    """
    found = np.zeros(len(row), bool)
    if len(row) < FEWEST:
        return found
    angle, drawn_out = _directions(image, row, column, fwhm)
    part = np.flatnonzero(drawn_out)
    if len(part) < FEWEST:
        return found
    part = part[np.argsort(-image[row[part], column[part]], kind="stable")[:MOST]]
    x, y, angle = column[part].astype(np.float64), row[part].astype(np.float64), angle[part]
    one, other = np.triu_indices(len(part), 1)
    direction = np.arctan2(y[other] - y[one], x[other] - x[one])
    fits = (_between(angle[one], direction) < ALIGNED) & (_between(angle[other], direction) < ALIGNED)
    fits &= np.hypot(x[other] - x[one], y[other] - y[one]) > 3 * fwhm
    one, other, direction = (values[fits][:MOST_PAIRS] for values in (one, other, direction))
    if not len(one):
        return found
    cosine, sine = np.cos(direction)[:, None], np.sin(direction)[:, None]
    on_line = np.abs((y - y[one][:, None]) * cosine - (x - x[one][:, None]) * sine) < BESIDE * fwhm
    aligned = _between(angle[None, :], direction[:, None]) < ALIGNED
    on_line &= aligned
    number = on_line.sum(1)
    best = int(np.argmax(number))
    # the two sources that give a line are on it whatever they are
    # where the PSF changes over the image, many sources are drawn out alike
    expected = aligned.sum(1) * (2 * BESIDE * fwhm * np.hypot(*image.shape) / image.size)
    certain = (number >= FEWEST) & (poisson_above(np.maximum(number - 3, 0), expected) * len(one) < CHANCE)
    if not certain[best]:
        return found
    everything = np.stack([column, row]).astype(np.float64)
    for line in np.flatnonzero(certain & (number >= 0.5 * number[best]))[:FEWEST]:
        along = np.array([np.cos(direction[line]), np.sin(direction[line])])
        offset = everything - np.array([x[one[line]], y[one[line]]])[:, None]
        place, distance = along @ offset, np.abs(along[0] * offset[1] - along[1] * offset[0])
        ends = _without_spikes(place, distance, image[row, column], part[on_line[line]], fwhm)
        if len(ends) < FEWEST or np.ptp(ends) < LONG * fwhm:
            continue
        found |= (distance < BESIDE * fwhm) & (place >= ends.min() - fwhm) & (place <= ends.max() + fwhm)
    return found


def _without_spikes(
    place: Floats, distance: Floats, peak: NDArray[np.float32], dashes: NDArray[np.int64], fwhm: float
) -> Floats:
    """Return where along their line the dashes are that are not on a spike of a bright star."""
    star = (distance < BESIDE_STAR * fwhm) & (peak > SPIKED * np.median(peak[dashes]))
    on_spike = (np.abs(place[dashes, None] - place[star]) < LONG * fwhm).any(1)
    return np.asarray(place[dashes][~on_spike], np.float64)


def _directions(
    image: NDArray[np.float32], row: NDArray[np.int64], column: NDArray[np.int64], fwhm: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the angle of each source's long axis, and whether it is drawn out beyond what sources here are."""
    half = int(np.ceil(2 * fwhm))
    offset = np.arange(-half, half + 1, dtype=np.float64)
    weight = np.exp(-0.5 * (offset / (0.85 * fwhm)) ** 2)
    windows = np.maximum(plane_windows(image, row, column, half), np.float32(0.0)) * np.outer(weight, weight)
    total = np.maximum(windows.sum((1, 2)), 1e-30)
    x, y = (windows.sum(axis) @ offset / total for axis in (1, 2))
    xx, yy = (windows.sum(axis) @ offset**2 / total - center**2 for axis, center in ((1, x), (2, y)))
    xy = np.einsum("nij,i,j->n", windows, offset, offset) / total - x * y
    usual = [float(np.median(moment)) for moment in (xx, yy, xy)]
    xx, yy, xy = xx - usual[0], yy - usual[1], xy - usual[2]
    mean, difference = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    long, across = mean + difference, mean - difference
    typical = 0.5 * (usual[0] + usual[1])
    return 0.5 * np.arctan2(2 * xy, xx - yy), (long > DRAWN_OUT * typical) & (np.abs(across) < ACROSS * long)


def _between(one: Floats, other: Floats) -> Floats:
    """Return the angles between lines, from 0 to a right one."""
    turned = np.abs(one - other) % np.pi
    return np.asarray(np.minimum(turned, np.pi - turned), np.float64)
