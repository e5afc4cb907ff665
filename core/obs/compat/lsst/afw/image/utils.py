"""Filters that scripts define, in the stack's words."""

from collections.abc import Sequence
from typing import Any

from obs.compat.lsst.afw.image.calib import Filter

__all__ = ["defineFilter", "resetFilters"]


def defineFilter(
    name: str,
    lambdaEff: float = float("nan"),
    alias: Sequence[str] | str = (),
    force: bool = False,
    **_: Any,
) -> None:
    """Make a filter known to `obs.compat.lsst.afw.image.Filter`, with its other names.

    Parameters
    ----------
    name : str
        Its name.
    lambdaEff : float, optional
        Its wavelength, nm, which has no effect: cameras of `obs` have those of their filters.
    alias : str or sequence of str, optional
        Its other names.
    force : bool, optional
        Define it again, which is always allowed here.
    """
    Filter.define(name, [alias] if isinstance(alias, str) else list(alias))


def resetFilters() -> None:
    """Forget all filters that were defined."""
    Filter.reset()
