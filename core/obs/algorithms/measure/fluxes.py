"""What every flux measurement returns, and the weighted sums that fluxes and their errors are made of."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["Fluxes", "add_products", "add_up", "flux_columns"]

_PRODUCTS = Kernel("sum_products", "float32", "float32", "int", "int", "float64")
_WEIGHTED = Kernel("sum_weighted", "float32", "float32", "float32", "int", "int", "float64", "float64")


class Fluxes(NamedTuple):
    """Fluxes and their standard errors, float64, shape (n,), image units, and bool flags of the same shape.

    Parameters
    ----------
    flux, flux_err : ndarray of float64, shape (n,)
        Fluxes and standard errors, image units.
    failed : ndarray of bool, shape (n,)
        Whether the measurement failed.
    edge : ndarray of bool, shape (n,)
        Whether the measurement reached beyond the image.
    """

    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    failed: NDArray[np.bool_]
    edge: NDArray[np.bool_]

    @classmethod
    def checked(cls, flux: NDArray[np.float64], flux_err: NDArray[np.float64], edge: NDArray[np.bool_]) -> "Fluxes":
        """Return fluxes that have failed where the flux or its error is not finite.

        Parameters
        ----------
        flux, flux_err : ndarray of float64, shape (n,)
            Fluxes and standard errors, in the unit of the image.
        edge : ndarray of bool, shape (n,)
            Whether the measurement reached beyond the image.
        """
        failed = ~(np.isfinite(flux) & np.isfinite(flux_err))
        return cls(np.asarray(flux, np.float64), np.asarray(flux_err, np.float64), failed, edge)


def add_products(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sum of the products of the pixels of each pair of stamps, float64, shape (n,), from (n, k, k).

    Parameters
    ----------
    one, other : ndarray of float32, shape (n, k, k)
        Stamps.
    """
    if not _PRODUCTS:
        return np.asarray(np.einsum("nij,nij->n", one, other, dtype=np.float64))
    result = np.empty(len(one))
    _PRODUCTS(np.ascontiguousarray(one), np.ascontiguousarray(other), len(one), one[:1].size, result)
    return result


def add_up(
    weight: NDArray[np.float32], stamps: NDArray[np.float32], variance: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up weighted pixels for each source.

    Parameters
    ----------
    weight : ndarray of float32, shape (n, k, k)
        Weight of each pixel.
    stamps, variance : ndarray of float32, shape (n, k, k)
        Pixels, image units, and their variance.

    Returns
    -------
    total, error : ndarray of float64, shape (n,)
        Weighted sums and their standard errors, image units.
    """
    if _WEIGHTED:
        total, square = np.empty(len(weight)), np.empty(len(weight))
        planes = (np.ascontiguousarray(plane) for plane in (weight, stamps, variance))
        _WEIGHTED(*planes, len(weight), weight[:1].size, total, square)
        return total, np.sqrt(square)
    total = np.einsum("nij,nij->n", weight, stamps, dtype=np.float64)
    square = np.einsum("nij,nij,nij->n", weight, weight, variance, dtype=np.float64)
    return total, np.sqrt(square)


def flux_columns(name: str, fluxes: Fluxes, edge_flag: str) -> dict[str, NDArray[np.generic]]:
    """Return the columns of a flux.

    Parameters
    ----------
    name : str
        What the columns' names begin with.
    fluxes : Fluxes
        The measurement.
    edge_flag : str
        Name of the flag of sources too close to the border, such as ``edge``.

    Returns
    -------
    dict of str to ndarray
        Flux, standard error, a flag of sources not to be trusted, and the flag of those at the border.
    """
    return {
        f"{name}_instFlux": fluxes.flux,
        f"{name}_instFluxErr": fluxes.flux_err,
        f"{name}_flag": fluxes.failed | fluxes.edge,
        f"{name}_flag_{edge_flag}": fluxes.edge,
    }
