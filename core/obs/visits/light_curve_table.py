"""The table of a light curve."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from obs.image.catalog import Catalog
from obs.image.photo_calib import INSTRUMENTAL, common_system, describe_magnitude
from obs.tasks.forced.config import ForcedConfig
from obs.visits.flux_choice import Choice
from obs.visits.light_curve_point import FLAGS, UNUSABLE, Point

__all__ = ["differential_columns", "make_table", "unusable_magnitudes"]

Floats = NDArray[np.float64]


def differential_columns(points: Sequence[Point], choice: Choice) -> dict[str, Floats]:
    """Return fluxes and differential magnitudes of the object in one filter.

    Parameters
    ----------
    points : sequence of Point
        The object on the images of that filter.
    choice : Choice
        Flux and comparison stars.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_image,)
        Magnitudes, fluxes in ADU, and numbers of comparison stars.
    """
    flux, ensemble = choice.flux, choice.ensemble
    shift = np.nan_to_num(ensemble.offset) + choice.shift
    errors = np.array([point.value(f"{flux}_magErr") for point in points])
    found = {
        "magnitude": np.array([point.value(f"{flux}_mag") for point in points]) + shift,
        "magnitude_error": np.sqrt(errors**2 + np.nan_to_num(ensemble.error) ** 2 + choice.floor**2),
        "upper_limit": np.array([point.value(f"{flux}_magLimit") for point in points]) + shift,
        "flux": np.array([point.value(f"{flux}_instFlux") for point in points]),
        "flux_error": np.array([point.value(f"{flux}_instFluxErr") for point in points]),
        "zero_point_offset": ensemble.offset,
        "n_comparison": ensemble.n_star.astype(np.float64),
        "check_magnitude": np.array([point.value_of(choice.check + 1, f"{flux}_mag") for point in points]) + shift,
    }
    return found


def make_table(
    points: Sequence[Point], columns: Mapping[str, Floats], fluxes: Mapping[str, str], config: ForcedConfig
) -> Catalog:
    """Return the light curve with units and descriptions.

    Parameters
    ----------
    points : sequence of Point
        The object on each image, in the order of time.
    columns : mapping of str to ndarray of float64, shape (n_image,)
        As of `differential_columns`, of all filters.
    fluxes : mapping of str to str
        The flux of each filter.
    config : ForcedConfig
        Settings, of which the upper limit is described.
    """
    table = Catalog()
    table.add("bjd_tdb", _values(points, "bjd_tdb"), "d", "middle of the exposure, barycentric Julian date, TDB")
    table.add("mjd_mid", _values(points, "mjd_mid"), "d", "middle of the exposure, modified Julian day, UTC")
    filters = np.array([point.physical_filter for point in points])
    table.add("filter", filters, "", "physical filter")
    own = {point.physical_filter for point in points if point.calibration.is_instrumental}
    others = [point.calibration.photo_calib for point in points if point.physical_filter not in own]
    system = describe_magnitude(common_system(others) if others else INSTRUMENTAL)
    if own and others:
        system += f", instrumental in {', '.join(sorted(own))}"
    text = f"{system}, differential; NaN if not positive"
    table.add("magnitude", columns["magnitude"], "mag", text)
    text = "standard error, with that of the comparison stars, and what they scatter beyond their errors"
    table.add("magnitude_error", columns["magnitude_error"], "mag", text)
    text = f"flux (0 if it is negative) plus {config.upper_limit:g} of its standard errors: the object is fainter"
    table.add("upper_limit", columns["upper_limit"], "mag", text)
    names = ", ".join(dict.fromkeys(fluxes.values()))
    table.add("flux", columns["flux"], "ct", f"{names}_instFlux")
    table.add("flux_error", columns["flux_error"], "ct", f"{names}_instFluxErr")
    flags = [_flag_letters(point.catalog, fluxes[name]) for point, name in zip(points, filters.tolist(), strict=True)]
    legend = ", ".join(f"{letter} {name}" for name, letter in FLAGS.items())
    table.add("flags", np.array(flags, dtype="U8"), "", f"{legend}, P flux not to be trusted")
    table.add("seeing", np.array([point.seeing for point in points]), "arcsec", "full width at half maximum of the PSF")
    facts = [point.visit_info for point in points]
    airmass = [np.nan if info is None else info.airmass for info in facts]
    table.add("airmass", np.array(airmass, np.float64), "", "airmass")
    seconds = [np.nan if info is None else info.exposure_time for info in facts]
    table.add("exposure_time", np.array(seconds, np.float64), "s", "exposure time")
    text = "added to the magnitude so that the comparison stars are constant"
    table.add("zero_point_offset", columns["zero_point_offset"], "mag", text)
    text = "magnitude of the check star, which is constant, as bright as the object, and no comparison star"
    table.add("check_magnitude", columns["check_magnitude"], "mag", text)
    table.add("n_comparison", columns["n_comparison"].astype(np.int64), "", "number of comparison stars")
    table.add("data_id", np.array([point.name for point in points]), "", "data ID of the image")
    table.metadata["CALIB"] = "; ".join(dict.fromkeys(str(point.calibration) for point in points))
    return table


def unusable_magnitudes(table: Catalog) -> list[str]:
    """Return warnings of magnitudes that are not to be used, because of their flags.

    A saturated object is measured too faint, which looks like a change of it.

    Parameters
    ----------
    table : Catalog
        As of `make_table`.
    """
    flags = [set(letters) & UNUSABLE for letters in np.asarray(table["flags"]).astype(str).tolist()]
    saturated, other = sum("S" in letters for letters in flags), sum(bool(letters - {"S"}) for letters in flags)
    warnings = []
    if saturated:
        warnings.append(
            f"the object is saturated on {saturated} of {len(flags)} images (flag S) and measured too faint there; "
            "leave these out, and expose for shorter times or out of focus"
        )
    if other:
        warnings.append(
            f"the object has bad pixels (flag B) or a flux that is not to be trusted (flag P) on {other} of "
            f"{len(flags)} images; leave these out"
        )
    return warnings


def _values(points: Sequence[Point], column: str) -> Floats:
    return np.array([point.value(column) for point in points])


def _flag_letters(catalog: Catalog, flux: str) -> str:
    """Return the letters of the flags that the object has."""
    letters = "".join(letter for name, letter in FLAGS.items() if catalog[f"base_PixelFlags_flag_{name}"][0])
    if f"{flux}_flag_edge" in catalog and catalog[f"{flux}_flag_edge"][0] and "E" not in letters:
        letters += "E"
    return letters + ("P" if catalog[f"{flux}_flag"][0] else "")
