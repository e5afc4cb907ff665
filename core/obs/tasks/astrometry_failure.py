"""Why an exposure has no astrometry, in one line: what was compared, where, the likeliest cause, and what to try."""

from collections.abc import Sequence

from obs.frozen import frozen
from obs.tasks.reference import NO_REFERENCE
from obs.tasks.sky_search import SearchConfig, Searched

__all__ = ["MORE_STARS", "NO_CATALOG", "SEARCH", "Refused", "explain_search"]

MORE_STARS = "add fainter stars by -c calibrate.astrometry.minimum_signal_to_noise=5"
NO_CATALOG = f"{NO_REFERENCE}; add one with obs refcat get or obs ingest-refcat"
SEARCH = "search the sky by -c calibrate.astrometry.search.enabled=true"

_FEW_SOURCES = 15  # fewer do not form enough quads where some of them are not stars
_FEW_STARS = 10.0  # reference sources on a frame, on average, the same
_SHALLOW = 0.15  # a catalog with fewer stars on a frame, for each of its sources, lacks most of them
_ANY_SCALE = "search any pixel scale by -c calibrate.astrometry.search.maximum_scale_change=null"


@frozen
class Refused:
    """A place on the sky where a frame seems to be, and why no WCS could be fitted there.

    Parameters
    ----------
    ra, dec : float
        Middle of the frame, degrees.
    reason : str
        What is wrong with the fit.
    """

    ra: float
    dec: float
    reason: str


def explain_search(
    n_source: int,
    pixel_scale: float | None,
    searched: Sequence[Searched],
    refused: Sequence[Refused],
    config: SearchConfig,
) -> str:
    """Return what a search found that did not succeed, its likeliest cause, and what to try.

    Parameters
    ----------
    n_source : int
        Number of sources that were compared.
    pixel_scale : float or None
        Pixel scale of the WCS that the exposure came with, arcsec; None without one.
    searched : sequence of Searched
        Where the frame was searched.
    refused : sequence of Refused
        Places where it seems to be, the likeliest first.
    config : SearchConfig
        Settings of the search.
    """
    if refused:
        best = refused[0]
        return (
            f"the frame seems to be at ra={best.ra:.4f} dec={best.dec:.4f}, but {best.reason}; {_advise(best.reason)}"
        )
    any_scale = config.maximum_scale_change is None or pixel_scale is None
    scale = (
        "at any pixel scale"
        if any_scale
        else f"at {pixel_scale:.3g} arcsec/pixel within {config.maximum_scale_change:.0%}"
    )
    return (
        f"the {n_source} sources match nothing among {_describe(searched)}, {scale}; "
        f"{_cause(n_source, searched, any_scale=any_scale)}"
    )


def _advise(reason: str) -> str:
    """Return what to try where a fit is refused."""
    if "scatter" in reason:
        return (
            "stars may have moved since the epoch of the catalog: use a newer one, or raise "
            "calibrate.astrometry.maximum_scatter"
        )
    if "has no stars on" in reason:
        return "use a catalog of the whole frame"
    if "sheared" in reason:
        return "pixels may not be square, as after binning one axis: raise calibrate.astrometry.maximum_shear"
    if "at its edges" in reason:
        return f"use a catalog of the whole frame, or {MORE_STARS}"
    return MORE_STARS


def _describe(searched: Sequence[Searched]) -> str:
    """Return where the frame was searched."""
    near = [
        f"{each.n_star} reference sources within {each.radius:.3g} deg of ra={each.ra:.4f} dec={each.dec:.4f}"
        for each in searched
        if not each.everywhere
    ]
    whole = [f"all {each.n_star} sources of the reference catalog" for each in searched if each.everywhere]
    return ", nor among ".join([*near, *whole])


def _cause(n_source: int, searched: Sequence[Searched], *, any_scale: bool) -> str:
    """Return the likeliest cause, and what to try."""
    if n_source < _FEW_SOURCES:
        return f"{n_source} sources are few for a search: {MORE_STARS}"
    on_frame = max((each.n_star * each.frame_share for each in searched), default=_FEW_STARS)
    if on_frame < max(_FEW_STARS, _SHALLOW * n_source):
        shallow = f"the catalog has only about {on_frame:.0f} sources on a frame of {n_source}: use a deeper one"
        return shallow if any_scale else f"{shallow}, or if the pixel scale may be wrong, {_ANY_SCALE}"
    if any_scale:
        return "the catalog is probably of another field: use one of this field"
    return f"the pixel scale is wrong, or the catalog is of another field: {_ANY_SCALE}, or use another catalog"
