"""The place of an exposure on the sky, from a reference catalog."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.fit import AstrometryFit, fit_astrometry
from obs.algorithms.astrometry.match import Matches, match_sky
from obs.algorithms.pixels.statistics import robust_sigma
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.wcs import TanSipWcs
from obs.tasks.reference import NO_REFERENCE, ReferenceConfig, reference_flux_name, usable_sources

__all__ = ["AstrometryConfig", "match_reference", "solve_astrometry"]


class AstrometryConfig(TaskConfig):
    """The place on the sky."""

    enabled: bool = setting(True, "Match to the reference catalog and fit the WCS.")
    required: bool = setting(True, "An exposure that cannot be matched fails; else it keeps the WCS it came with.")
    force_known_wcs: bool = setting(False, "Keep the WCS that the exposure came with; only match.")
    order: int = setting(3, "Largest order of the distortion polynomial.", ge=1, le=6)
    max_offset: float = setting(250.0, "Largest error of the WCS that the exposure came with.", unit="pixel", gt=0)
    try_others: bool = setting(
        True, "Where the WCS from pointing and camera does not match, try those of header and pointing, and say so."
    )
    try_mirrored: bool = setting(True, "Where none matches, try their mirror images, and say so.")
    match_radius: float = setting(
        2.0, "Sources and reference sources nearer than this are the same.", unit="arcsec", gt=0
    )
    minimum_signal_to_noise: float = setting(10.0, "Fainter sources are not matched for the fit.", gt=0)
    minimum_stars: int = setting(8, "Fewer matches are no fit.", ge=3)
    maximum_scatter: float = setting(0.5, "A larger scatter is a false match.", unit="arcsec", gt=0)


def solve_astrometry(
    exposure: Exposure,
    catalog: Catalog,
    reference: Catalog,
    band: str,
    config: AstrometryConfig,
    reference_config: ReferenceConfig,
) -> str:
    """Fit the WCS of an exposure to a reference catalog, if the settings ask for it.

    Parameters
    ----------
    exposure : Exposure
        Gets the new WCS; keeps its own where there is no fit.
    catalog : Catalog
        Sources; gains ``calib_astrometry_used``.
    reference : Catalog
        Reference sources; may be empty.
    band : str
        Band of the exposure.
    config, reference_config
        Settings.

    Returns
    -------
    str
        What the user should know: why there is no fit, or what was wrong with the WCS; empty if all is well.

    Raises
    ------
    MeasurementError
        If there is no fit and the settings require one.
    """
    if not config.enabled or config.force_known_wcs:
        return ""
    try:
        fit, sources, told = _fit(exposure, catalog, reference, band, config, reference_config)
    except MeasurementError as error:
        reason = str(error).removeprefix("no astrometry: ")
        if config.required:
            raise MeasurementError(
                f"no astrometry: {reason}; give a reference catalog of this field, or set "
                "calibrate.astrometry.required to false to keep the WCS that the exposure came with"
            ) from error
        return f"no astrometry, the WCS that the exposure came with is kept: {reason}"
    exposure.wcs = fit.wcs
    used = np.zeros(len(catalog), bool)
    used[sources[fit.matches.first[fit.used]]] = True
    catalog.add("calib_astrometry_used", used, "", "the WCS was fitted to this source")
    return told


def _guesses(exposure: Exposure, config: AstrometryConfig) -> Iterator[tuple[TanSipWcs, str]]:
    """Yield what the WCS may be, the likeliest first, and what to tell the user if it is that."""
    if exposure.wcs is None:
        return
    yield exposure.wcs, ""
    others = exposure.other_wcs if config.try_others else {}
    for name, wcs in others.items():
        yield wcs, f"the WCS that the exposure came with does not match; that of {name} does"
    height, width = exposure.shape
    known = {"that the exposure came with": exposure.wcs, **{f"of {name}": wcs for name, wcs in others.items()}}
    for name, wcs in known.items() if config.try_mirrored else ():
        for axis, size in enumerate((width, height)):
            yield wcs.mirrored(axis=axis, size=size), f"the WCS {name} is mirrored; it matched after turning it over"


def _fit(
    exposure: Exposure,
    catalog: Catalog,
    reference: Catalog,
    band: str,
    config: AstrometryConfig,
    reference_config: ReferenceConfig,
) -> tuple[AstrometryFit, NDArray[np.int64], str]:
    """Return the fit, rows of the sources that it was offered, and what to tell the user."""
    guesses = list(_guesses(exposure, config))
    if not guesses:
        raise MeasurementError("the exposure has no WCS to start from")
    if not len(reference):
        raise MeasurementError(NO_REFERENCE)
    sources = np.flatnonzero(usable_sources(catalog, config.minimum_signal_to_noise))
    flux = reference_flux_name(reference, band, reference_config)
    problems: list[MeasurementError] = []
    for guess, told in guesses:
        try:
            fit = fit_astrometry(
                x=catalog["base_SdssCentroid_x"][sources],
                y=catalog["base_SdssCentroid_y"][sources],
                flux=catalog["base_PsfFlux_instFlux"][sources],
                ref_ra=reference["coord_ra"],
                ref_dec=reference["coord_dec"],
                ref_flux=reference[flux] if flux else np.full(len(reference), np.nan),
                wcs=guess,
                shape=exposure.shape,
                max_order=config.order,
                max_offset=config.max_offset,
                min_stars=config.minimum_stars,
                max_scatter=config.maximum_scatter,
            )
        except MeasurementError as error:
            problems.append(error)
        else:
            return fit, sources, told
    raise problems[0]


def match_reference(
    catalog: Catalog, reference: Catalog, *, minimum_signal_to_noise: float, radius: float
) -> tuple[Matches, float]:
    """Match sources to reference sources on the sky.

    Parameters
    ----------
    catalog, reference : Catalog
        Sources with their sky coordinates, and reference sources; both may be empty.
    minimum_signal_to_noise : float
        Fainter sources are left out.
    radius : float
        Largest separation, arcsec.

    Returns
    -------
    matches : Matches
        Rows of the catalog (first) and of the reference (second).
    scatter : float
        Robust standard deviation per axis, arcsec; NaN without matches.
    """
    if not len(reference):
        none = np.zeros(0, np.int64)
        return Matches(none, none, np.zeros(0)), float("nan")
    usable = np.flatnonzero(usable_sources(catalog, minimum_signal_to_noise))
    ra, dec, ref_ra, ref_dec = (table[f"coord_{c}"] for table in (catalog, reference) for c in ("ra", "dec"))
    pairs = match_sky(ra[usable], dec[usable], ref_ra, ref_dec, radius=radius)
    rows = usable[pairs.first]
    d_ra = ((ra[rows] - ref_ra[pairs.second] + 180) % 360 - 180) * np.cos(np.radians(ref_dec[pairs.second]))
    offsets = 3600 * np.concatenate([d_ra, dec[rows] - ref_dec[pairs.second]])
    return Matches(rows, pairs.second, pairs.separation), robust_sigma(offsets)
