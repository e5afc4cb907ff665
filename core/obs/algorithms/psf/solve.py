"""The images of a PSF model from stamps of stars: weighted least squares by conjugate gradients."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.psf.profile import Rings
from obs.algorithms.psf.star_blocks import for_stars
from obs.algorithms.psf.stars import PsfStars

__all__ = ["fit_rings", "solve_psf"]

Float = NDArray[np.float32]

PRIOR_FLOOR = 1e-6
"""Part of its maximum below which the expected image is not taken at its word."""

RING_SPREAD, LEAST_FACTOR = 2.0, 0.2
"""Relative standard deviation of the light in a ring before the stars are asked, and the least factor it refers to."""


def solve_psf(stars: PsfStars, basis: Float, prior: Float, tightness: float, steps: int) -> Float:
    """Improve the model's images by conjugate gradients, starting from the present ones.

    Parameters
    ----------
    stars : PsfStars
        Data.
    basis : ndarray of float32, shape (n_term, my, mx)
        Present images.
    prior : ndarray of float32, shape (my, mx)
        What the first image is expected to be; the others are expected to be zero.
    tightness : float
        Inverse of the relative standard deviation that the expectation is granted. It matters only where the stars say
        less: far out, where noise would pass for light.
    steps : int
        Number of conjugate-gradient steps.
    """
    used = stars.used
    weight, rows, columns = stars.weight()[used], stars.rows[used], stars.columns[used]
    rows_t, columns_t = np.ascontiguousarray(rows.transpose(0, 2, 1)), np.ascontiguousarray(columns.transpose(0, 2, 1))
    scaled = (stars.terms * (stars.flux / stars.total)[:, None])[used].astype(np.float32)
    n_term, model_height, model_width = basis.shape

    n_star = len(weight)

    def gather(pixels: Callable[[slice], Float]) -> Float:
        each = np.empty((n_star, model_height, model_width), np.float32)

        def some(part: slice) -> None:
            each[part] = rows_t[part] @ pixels(part) @ columns[part]

        for_stars(some, n_star)
        return np.asarray((scaled.T @ each.reshape(n_star, -1)).reshape(basis.shape), np.float32)

    def predict(images: Float) -> Callable[[slice], Float]:
        each = (scaled @ images.reshape(n_term, -1)).reshape(-1, model_height, model_width)
        return lambda part: rows[part] @ each[part] @ columns_t[part]

    def spread_weight(part: slice) -> None:
        spread[part] = (rows_t[part] ** 2) @ weight[part] @ (columns[part] ** 2)

    spread = np.empty((n_star, model_height, model_width), np.float32)
    for_stars(spread_weight, n_star)
    products = (scaled[:, :, None] * scaled[:, None, :]).reshape(len(scaled), -1)
    blocks = (spread.reshape(n_star, -1).T @ products).reshape(-1, n_term, n_term).astype(np.float64)
    damping = (tightness / np.maximum(prior, PRIOR_FLOOR * prior.max())) ** 2
    blocks += damping.reshape(-1, 1, 1) * np.eye(n_term)
    inverse = np.linalg.inv(blocks).astype(np.float32)

    def precondition(images: Float) -> Float:
        return np.asarray(
            (inverse @ images.reshape(n_term, -1).T[:, :, None])[:, :, 0].T.reshape(basis.shape), np.float32
        )

    stamps, present = stars.stamps[used] - stars.offset[used, None, None].astype(np.float32), predict(basis)
    residual = gather(lambda part: weight[part] * (stamps[part] - present(part))) - damping * basis
    residual[0] += damping * prior
    solution = basis.copy()
    conditioned = precondition(residual)
    direction, norm = conditioned, float(np.vdot(residual, conditioned))
    first_norm = norm
    for _ in range(steps):
        if not norm > 1e-8 * first_norm:
            break
        ahead = predict(direction)
        image = gather(lambda part, ahead=ahead: weight[part] * ahead(part)) + damping * direction  # type: ignore[misc]
        length = norm / float(np.vdot(direction, image))
        solution += np.float32(length) * direction
        residual -= np.float32(length) * image
        conditioned = precondition(residual)
        last, norm = norm, float(np.vdot(residual, conditioned))
        direction = conditioned + np.float32(norm / last) * direction
    return solution


def fit_rings(stars: PsfStars, rings: Rings) -> Float:
    """Fit the light in each ring of a smooth PSF to the stars.

    The noise of one pixel hides the wings, that of a whole ring does not.

    Parameters
    ----------
    stars : PsfStars
        Data.
    rings : Rings
        The rings. Their factors count where the stars say less.

    Returns
    -------
    ndarray of float32, shape (my, mx)
        The smooth PSF; not negative.
    """
    used = stars.used
    weight, rows, columns = stars.weight()[used], stars.rows[used], stars.columns[used].transpose(0, 2, 1)
    scale = (stars.flux / stars.total)[used, None, None].astype(np.float32)
    stamps, offset = stars.stamps[used], stars.offset[used, None, None].astype(np.float32)
    n_star, size = len(weight), weight[0].size
    parts, data = np.empty((len(rings.images), n_star, size), np.float32), np.empty((n_star, size), np.float32)

    def predict(part: slice) -> None:
        root = np.sqrt(weight[part])
        bright = root * scale[part]
        for ring, image in zip(parts, rings.images, strict=True):
            ring[part] = (bright * (rows[part] @ image @ columns[part])).reshape(-1, size)
        data[part] = (root * (stamps[part] - offset[part])).reshape(-1, size)

    for_stars(predict, n_star)
    parts, data = parts.reshape(len(parts), -1), data.ravel()
    normal, right = (parts @ parts.T).astype(np.float64), (parts @ data).astype(np.float64)
    spread = RING_SPREAD * np.maximum(rings.factors, LEAST_FACTOR)
    normal += np.diag(1.0 / spread**2)
    right += rings.factors / spread**2
    factors = np.maximum(np.linalg.solve(normal, right), 0.0)
    return rings._replace(factors=factors).profile()
