"""What a common fit found, as plain data and as lines for the terminal."""

from collections.abc import Sequence
from typing import Any

from obs.plural import count_of
from obs.tasks.relative.astrometry import CommonAstrometry
from obs.tasks.relative.gain import Gain
from obs.tasks.relative.motions import StarMotions
from obs.tasks.relative.photometry import CommonPhotometry

__all__ = ["describe_fit", "describe_motions", "format_fit", "format_motions"]


def describe_fit(astrometry: CommonAstrometry | None, photometry: CommonPhotometry | None) -> dict[str, Any]:
    """Return what was found, by name; lengths in mas, magnitudes in mmag.

    Parameters
    ----------
    astrometry : CommonAstrometry or None
        Fit of the positions; left out if None.
    photometry : CommonPhotometry or None
        Fit of the magnitudes; left out if None.
    """
    found: dict[str, Any] = {}
    if astrometry is not None:
        found["astrometry"] = {
            "internal_mas": astrometry.internal.to_metadata(),
            "reference_mas": astrometry.reference.to_metadata(),
            "error_mas": astrometry.error,
            "floor_mas": astrometry.floor,
            "visit_order": astrometry.visit_order,
            "stars": astrometry.n_star,
            "positions_used": astrometry.n_used,
            "positions_rejected": astrometry.n_rejected,
            "detectors": {
                detector: {"x_arcsec": x, "y_arcsec": y, "rotation_deg": turn}
                for detector, (x, y, turn) in astrometry.offsets.items()
            },
        }
    if photometry is not None:
        found["photometry"] = {
            "internal_mmag": photometry.internal.to_metadata(),
            "reference_mmag": photometry.reference.to_metadata(),
            "error_mmag": photometry.error,
            "floor_mmag": photometry.floor,
            "flat_correction_mmag": photometry.correction,
            "stars": photometry.n_star,
            "magnitudes_used": photometry.n_used,
            "magnitudes_rejected": photometry.n_rejected,
            "variable_stars": photometry.n_variable,
        }
    return found


def describe_motions(motions: StarMotions) -> dict[str, Any]:
    """Return what was found of proper motions, by name.

    Parameters
    ----------
    motions : StarMotions
        Result of the fit; the width is in mas a year.
    """
    return {
        "fitted": motions.catalog is not None,
        "reason_not_fitted": motions.reason,
        "stars": 0 if motions.catalog is None else len(motions.catalog),
        "years": motions.years,
        "scatter_mas_per_year": motions.width,
        "log_odds": motions.gain,
    }


def format_motions(motions: StarMotions | None, minimum_years: float) -> Sequence[str]:
    """Return lines about proper motions; none where the exposures are too close in time for any.

    Parameters
    ----------
    motions : StarMotions or None
        Result of the fit of proper motions.
    minimum_years : float
        Least time between the first and the last exposure, years.
    """
    if motions is None or motions.years < minimum_years:
        return []
    if motions.catalog is None:
        return [f"proper motions are not fitted: {motions.reason}"]
    return [
        f"proper motions of {count_of(len(motions.catalog), 'star')} over {motions.years:.1f} years: "
        f"{motions.width:.1f} mas a year along each axis (standard deviation)"
    ]


def format_fit(
    name: str, n_image: int, n_visit: int, astrometry: CommonAstrometry | None, photometry: CommonPhotometry | None
) -> Sequence[str]:
    """Return lines that say what the fit of a filter gained.

    Parameters
    ----------
    name : str
        Name of the filter.
    n_image, n_visit : int
        Number of detector images and of visits in the fit.
    astrometry : CommonAstrometry or None
        Fit of the positions; left out if None.
    photometry : CommonPhotometry or None
        Fit of the magnitudes; left out if None.
    """
    lines = [f"{name}: {count_of(n_image, 'image')} of {count_of(n_visit, 'visit')}"]
    if astrometry is not None:
        lines += [
            f"  positions repeat to {_arrow(astrometry.internal)} mas",
            f"  positions against the reference catalog {_arrow(astrometry.reference)} mas",
            f"  {astrometry.n_star} stars, {astrometry.n_rejected} of "
            f"{astrometry.n_used + astrometry.n_rejected} positions left out",
        ]
    if photometry is not None:
        lines += [
            f"  magnitudes repeat to {_arrow(photometry.internal)} mmag",
            f"  magnitudes against the reference catalog {_arrow(photometry.reference)} mmag",
            f"  flat-field correction {photometry.correction:.1f} mmag (rms), zero points {photometry.error:.1f} mmag "
            f"(error), {photometry.n_variable} variable stars left out",
        ]
    return lines


def _arrow(gain: Gain) -> str:
    """Return a scatter before and after the fit, and that of bright stars."""
    if not gain.n:
        return "(none in common)"
    text = f"{gain.before:.1f} -> {gain.after:.1f}"
    return text if gain.n_bright < 5 else f"{text}, bright stars {gain.bright_before:.1f} -> {gain.bright_after:.1f}"
