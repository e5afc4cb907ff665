"""A WCS in the TPV convention, which programs that ignore SIP read: SCAMP, SWarp, SExtractor, DS9 and others.

TPV applies its polynomial behind the CD matrix and SIP before it, so that each can express the other exactly: a term of
one is a sum of terms of the same order of the other.

References
----------
D. Shupe et al. (2012), Proc. SPIE 8451, 84511M; the TPV convention, https://fits.gsfc.nasa.gov/registry/tpvwcs.html
"""

import numpy as np
from numpy.typing import NDArray

from obs.image.wcs import TanSipWcs

__all__ = ["tpv_cards"]

Polynomial = NDArray[np.float64]

_MAX_ORDER = 7
#: Orders of the terms of TPV that are powers of the radius, which stand between those of x and y.
_RADIAL = (1, 3, 5, 7)


def tpv_cards(wcs: TanSipWcs) -> dict[str, str | int | float]:
    """Return the FITS cards of a WCS in the TPV convention.

    Parameters
    ----------
    wcs : TanSipWcs
        With a distortion of order 7 at most.

    Raises
    ------
    ValueError
        If its distortion is of a higher order, which TPV does not have.
    """
    cards = {name: value for name, value in wcs.to_header().items() if not _is_sip(name)}
    if wcs.a is None or wcs.b is None:
        return cards
    order = len(wcs.a) - 1
    while order > 1 and not _has_order(wcs.a, order) and not _has_order(wcs.b, order):
        order -= 1
    if order > _MAX_ORDER:
        raise ValueError(f"TPV has terms up to order {_MAX_ORDER}, and the WCS is of order {order}")
    # (u + A, v + B) as polynomials of the intermediate world coordinates (x, y) = CD (u, v).
    inverse = np.linalg.inv(wcs.cd)
    u, v = (np.array([[0.0, row[1]], [row[0], 0.0]]) for row in inverse)
    a, b = (_substitute(terms[: order + 1, : order + 1], u, v, order) for terms in (wcs.a, wcs.b))
    a[:2, :2] += u
    b[:2, :2] += v
    cards["CTYPE1"], cards["CTYPE2"] = "RA---TPV", "DEC--TPV"
    for axis in (0, 1):
        terms = wcs.cd[axis, 0] * a + wcs.cd[axis, 1] * b
        cards |= _cards(terms if axis == 0 else terms.T, axis + 1, order)
    return cards


def _is_sip(name: str) -> bool:
    return name.partition("_")[0] in ("A", "B", "AP", "BP") and "_" in name


def _has_order(terms: Polynomial, order: int) -> bool:
    i, j = np.indices(terms.shape)
    return bool(terms[i + j == order].any())


def _substitute(terms: Polynomial, u: Polynomial, v: Polynomial, order: int) -> Polynomial:
    """Return a polynomial of u and v, which are polynomials of x and y themselves, as one of x and y."""
    result = np.zeros((order + 1, order + 1))
    for p, q in np.argwhere(terms):
        if p + q > order:
            continue
        product = np.ones((1, 1))
        for factor in [u] * int(p) + [v] * int(q):
            product = _multiply(product, factor)
        result[: product.shape[0], : product.shape[1]] += terms[p, q] * product[: order + 1, : order + 1]
    return result


def _multiply(first: Polynomial, second: Polynomial) -> Polynomial:
    """Return the product of two polynomials in two variables."""
    shape = tuple(a + b - 1 for a, b in zip(first.shape, second.shape, strict=True))
    product = np.zeros(shape)
    for (i, j), value in np.ndenumerate(second):
        product[i : i + first.shape[0], j : j + first.shape[1]] += value * first
    return product


def _cards(terms: Polynomial, axis: int, order: int) -> dict[str, float]:
    """Return the PV cards of an axis; element [i, j] multiplies its own coordinate to the i, the other to the j."""
    cards: dict[str, float] = {}
    number = 0
    for total in range(order + 1):
        for j in range(total + 1):
            cards[f"PV{axis}_{number}"] = float(terms[total - j, j])
            number += 1
        number += total in _RADIAL
    return cards
