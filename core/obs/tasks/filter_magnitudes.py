"""Magnitudes of reference stars in the filter of an exposure: the band of that name, or two bands and a color term."""

from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.photometry.bands import nearest_band
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.shell_command import shell_command
from obs.tasks.photometry_config import ColorTerm, PhotometryConfig
from obs.tasks.reference import NAME_KEY, ReferenceConfig, reference_flux_name, reference_magnitude

__all__ = ["color_fluxes", "find_color_term", "magnitudes_by_term", "magnitudes_in_filter", "usable_color_term"]


def find_color_term(config: PhotometryConfig, catalog_name: str, physical_filter: str) -> ColorTerm | None:
    """Return the color term of a filter for a reference catalog, or None where none is known.

    An entry with the very name of the catalog goes before patterns.

    Parameters
    ----------
    config : PhotometryConfig
        Settings with the color terms.
    catalog_name : str
        Name of the reference catalog.
    physical_filter : str
        Filter of the exposure, by the camera's name, for example "HSC-R".

    Raises
    ------
    MeasurementError
        If several patterns match the name.
    """
    if not config.apply_color_terms:
        return None
    patterns = [catalog_name] if catalog_name in config.color_terms else config.color_terms
    matching = [pattern for pattern in patterns if fnmatchcase(catalog_name, pattern)]
    if len(matching) > 1:
        raise MeasurementError(
            f"the name of the reference catalog '{catalog_name}' matches several patterns of color terms: "
            f"{', '.join(matching)}; give the catalog an entry of its own in calibrate.photometry.color_terms"
        )
    return config.color_terms[matching[0]].get(physical_filter) if matching else None


def magnitudes_in_filter(
    reference: Catalog,
    physical_filter: str,
    band: str,
    config: PhotometryConfig,
    reference_config: ReferenceConfig,
    *,
    section: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Return magnitudes of reference sources in a filter, shape (n,), their errors, and what the user should know.

    Parameters
    ----------
    reference : Catalog
        Reference sources.
    physical_filter, band : str
        The filter, and its band.
    config : PhotometryConfig
        Has the color terms.
    reference_config : ReferenceConfig
        Has names of fluxes for bands.
    section : str
        Where the task has ``reference_config`` among its settings, for the remedy in a message.

    Raises
    ------
    MeasurementError
        If the catalog does not have the band.
    """
    term, problem = usable_color_term(reference, physical_filter, config)
    name = reference_flux_name(reference, band, reference_config)
    return *magnitudes_by_term(reference, name, term, band, section), problem


def usable_color_term(
    reference: Catalog, physical_filter: str, config: PhotometryConfig
) -> tuple[ColorTerm | None, str]:
    """Return the color term; none, with what to tell the user, where the catalog has only one of its two bands.

    Parameters
    ----------
    reference : Catalog
        Reference catalog; its metadata gives its name.
    physical_filter : str
        Filter of the exposure, by the camera's name.
    config : PhotometryConfig
        Settings with the color terms.

    Returns
    -------
    term : ColorTerm or None
        The color term.
    problem : str
        Why a known color term is not used; empty if nothing is wrong.
    """
    name = str(reference.metadata.get(NAME_KEY, ""))
    term = find_color_term(config, name, physical_filter)
    if term is None or f"{term.primary}_flux" not in reference or f"{term.secondary}_flux" in reference:
        return term, ""
    return None, (
        f"the zero point does not use the color term of {physical_filter}, since the reference catalog {name} has no "
        f"flux '{term.secondary}_flux'; add that band to the catalog"
    )


def magnitudes_by_term(
    reference: Catalog, name: str | None, term: ColorTerm | None, band: str, section: str = "calibrate.reference"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return magnitudes of reference sources in the exposure's filter, and their errors.

    Parameters
    ----------
    reference : Catalog
        Reference catalog with fluxes in nanojansky.
    name : str or None
        Flux column used without a color term; by default that of ``band``.
    term : ColorTerm or None
        Color term; it names the flux columns itself.
    band : str
        Band of the exposure, for example "r".
    section : str, default: "calibrate.reference"
        Section of the settings that the advice in an error names.

    Returns
    -------
    magnitude, error : ndarray of float64, shape (n,)
        Magnitudes and errors. Those of a color term are the errors of its primary flux.

    Raises
    ------
    MeasurementError
        If the catalog has no flux of the filter, or no filter is known.
    """
    wanted = [name or f"{band}_flux"] if term is None else [f"{term.primary}_flux", f"{term.secondary}_flux"]
    missing = [flux for flux in wanted if flux not in reference]
    if missing:
        there = [column for column in reference.columns if column.endswith("_flux")]
        if not band and term is None:
            raise MeasurementError(
                f"the exposure does not say its filter; name the flux of the reference catalog (it has "
                f"{', '.join(there) or 'none'}), for example -c {section}.flux_names.=r"
            )
        remedy = "add that band to the catalog"
        if there and term is None:
            bands = [column.removesuffix("_flux") for column in there]
            like = nearest_band(band, bands) or "BAND"
            remedy += f", or use another one, for example {shell_command('-c', f'{section}.flux_names.{band}={like}')}"
        raise MeasurementError(
            f"the reference catalog has no flux '{missing[0]}' (it has {', '.join(there) or 'none'}); {remedy}"
        )
    magnitude, error = reference_magnitude(reference, wanted[0])
    if term is None:
        return magnitude, error
    color = magnitude - reference_magnitude(reference, wanted[1])[0]
    return magnitude + term.c0 + color * (term.c1 + color * term.c2), error


def color_fluxes(reference: Catalog, name: str | None, term: ColorTerm | None) -> tuple[str, str] | None:
    """Return two fluxes of the reference catalog whose ratio is a color: of the color term, or of neighboring bands.

    Parameters
    ----------
    reference : Catalog
        Reference catalog.
    name : str or None
        Flux column of the exposure's filter.
    term : ColorTerm or None
        Color term of the filter.

    Returns
    -------
    tuple of str or None
        None without a color term if the catalog has no such column, or no other one.
    """
    if term is not None:
        return f"{term.primary}_flux", f"{term.secondary}_flux"
    names = [column for column in reference.columns if column.endswith("_flux")]
    if name not in names or len(names) < 2:
        return None
    first = min(names.index(name), len(names) - 2)
    return names[first], names[first + 1]
