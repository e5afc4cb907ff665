"""What the plots of one detector image are drawn from: its stars, its reference stars, its PSF."""

import math
from typing import Any

import numpy as np
import sep
from numpy.typing import ArrayLike, NDArray

from obs.image.catalog import Catalog
from obs.image.exposure import Exposure

__all__ = ["star_data"]

_MOST_STARS, _MOST_MATCHES, _PROFILE_STARS = 400, 250, 12
_MOST_SAMPLE = 300
_NANOJANSKY = 31.4
_FWHM = 2.3548
_LEAST_SNR = 10.0
_MAS = 3.6e6  # in a degree


def star_data(exposure: Exposure, catalog: Catalog, matches: Catalog | None) -> dict[str, Any]:
    """Return the columns of plots, rounded for a page.

    Parameters
    ----------
    exposure : Exposure
        The calibrated image.
    catalog : Catalog
        Its sources.
    matches : Catalog or None
        Sources beside their reference sources, ``srcMatchFull``.

    Returns
    -------
    dict
        Of bright point sources: ``x``, ``y`` (pixels), ``mag``, ``fwhm`` (pixels), ``e1``, ``e2``, ``dsize`` (size over
        that of the model, minus 1) and ``psf`` (whether the PSF was made of it). With ``profile`` and ``reference``
        where they are known, and ``reason`` where there are no reference stars.
    """
    height, width = exposure.shape
    scale = exposure.wcs.pixel_scale if exposure.wcs is not None else math.nan
    data: dict[str, Any] = {"width": width, "height": height, "scale": _round(scale * 1000.0)}
    stars = _bright_stars(catalog)
    data |= _star_columns(exposure, stars)
    data["calibrated"] = exposure.photo_calib is not None
    data["faint"], data["counts"] = _sample(exposure, catalog), _count(exposure, catalog, matches)
    if (profile := _profile(exposure, stars)) is not None:
        data["profile"] = profile
    if matches is None or not len(matches):
        data["reason"] = "no source was matched to a reference catalog"
    else:
        data["reference"] = _reference_columns(exposure, matches)
        data["color"] = _color_name(exposure, matches)
    return data


def _bright_stars(catalog: Catalog) -> Catalog:
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.nan_to_num(catalog["base_PsfFlux_instFlux"] / catalog["base_PsfFlux_instFluxErr"])
    good = (snr > _LEAST_SNR) & catalog["detect_isPrimary"] & (catalog["deblend_nChild"] == 0)
    rows = np.flatnonzero(good)
    psf = catalog["calib_psf_candidate"][rows] if "calib_psf_candidate" in catalog else np.zeros(len(rows), bool)
    # stars of the PSF first, then the brightest
    order = np.lexsort((-snr[rows], ~psf))[:_MOST_STARS]
    return catalog.select(rows[order])


def _magnitude(exposure: Exposure, flux: ArrayLike) -> NDArray[np.float64]:
    """Return magnitudes; instrumental ones without a zero point."""
    values = np.asarray(flux, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if exposure.photo_calib is not None:
            return np.asarray(exposure.photo_calib.mean.magnitude(values), float)
        return np.asarray(-2.5 * np.log10(values), float)


def _sample(exposure: Exposure, catalog: Catalog) -> dict[str, list[Any]]:
    """Return magnitude and signal-to-noise ratio of sources of every brightness."""
    rows = np.flatnonzero(catalog["detect_isPrimary"] & (catalog["base_PsfFlux_instFlux"] > 0))
    flux = np.asarray(catalog["base_PsfFlux_instFlux"], float)[rows]
    order = np.argsort(flux, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, _MOST_SAMPLE).astype(int))] if len(order) else order
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = flux / np.asarray(catalog["base_PsfFlux_instFluxErr"], float)[rows]
    columns = {"mag": _rounded(_magnitude(exposure, flux[chosen]), 2), "snr": _rounded(snr[chosen], 1)}
    return columns | {"n": [len(rows)]}


def _count(exposure: Exposure, catalog: Catalog, matches: Catalog | None) -> dict[str, list[Any]]:
    """Return numbers of sources, and of those with a reference source, in bins of half a magnitude."""
    primary = catalog["detect_isPrimary"]
    found = _magnitude(exposure, catalog["base_PsfFlux_instFlux"][primary])
    found = found[np.isfinite(found)]
    if not len(found):
        return {"mag": [], "all": [], "matched": []}
    low, high = math.floor(2.0 * found.min()) / 2.0, math.ceil(2.0 * found.max()) / 2.0
    edges = np.arange(max(low, high - 15.0), high + 0.75, 0.5)
    known = np.zeros(0)
    if matches is not None and len(matches):
        known = _magnitude(exposure, matches["src_base_PsfFlux_instFlux"])
        known = known[np.isfinite(known)]
    return {
        "mag": (0.5 * (edges[1:] + edges[:-1])).tolist(),
        "all": np.histogram(found, edges)[0].tolist(),
        "matched": np.histogram(known, edges)[0].tolist(),
    }


def _star_columns(exposure: Exposure, stars: Catalog) -> dict[str, list[Any]]:
    xx, yy, xy = (np.asarray(stars[f"base_SdssShape_{name}"], float) for name in ("xx", "yy", "xy"))
    model = np.asarray(stars["base_SdssShape_psf_xx"], float) + np.asarray(stars["base_SdssShape_psf_yy"], float)
    flux = np.asarray(stars["base_PsfFlux_instFlux"], float)
    psf = stars["calib_psf_candidate"] if "calib_psf_candidate" in stars else np.zeros(len(stars), bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = xx + yy
        magnitude = _magnitude(exposure, flux)
        columns = {
            "x": (stars["base_SdssCentroid_x"], 1),
            "y": (stars["base_SdssCentroid_y"], 1),
            "mag": (magnitude, 3),
            "fwhm": (_FWHM * np.sqrt(0.5 * size), 3),
            "e1": ((xx - yy) / size, 3),
            "e2": (2.0 * xy / size, 3),
            "dsize": (np.where(psf, np.sqrt(size / model) - 1.0, np.nan), 4),
        }
    return {name: _rounded(values, digits) for name, (values, digits) in columns.items()} | {
        "psf": psf.astype(int).tolist()
    }


def _reference_columns(exposure: Exposure, matches: Catalog) -> dict[str, list[Any]] | None:
    """Return magnitudes and positions of matched sources, measured minus reference."""
    matches = matches.select(
        np.argsort(-np.nan_to_num(matches["src_base_PsfFlux_instFlux"]), kind="stable")[:_MOST_MATCHES]
    )
    ra, dec = np.asarray(matches["ref_coord_ra"], float), np.asarray(matches["ref_coord_dec"], float)
    dra = (np.asarray(matches["src_coord_ra"], float) - ra + 180.0) % 360.0 - 180.0
    dra *= np.cos(np.radians(dec)) * _MAS
    ddec = (np.asarray(matches["src_coord_dec"], float) - dec) * _MAS
    x, y = np.asarray(matches["src_base_SdssCentroid_x"], float), np.asarray(matches["src_base_SdssCentroid_y"], float)
    columns: dict[str, tuple[ArrayLike, int]] = {"x": (x, 1), "y": (y, 1), "dra": (dra, 1), "ddec": (ddec, 1)}
    if exposure.wcs is not None:
        at_x, at_y = exposure.wcs.sky_to_pixel(ra=ra, dec=dec)
        columns |= {"dx": (x - at_x, 4), "dy": (y - at_y, 4)}
    else:
        columns |= {"dx": (np.full(len(x), np.nan), 4), "dy": (np.full(len(x), np.nan), 4)}
    magnitude, difference = _reference_magnitudes(exposure, matches)
    columns |= {"mag": (magnitude, 3), "dmag": (difference, 4), "color": (_colors(exposure, matches), 3)}
    return {name: _rounded(values, digits) for name, (values, digits) in columns.items()}


def _reference_magnitudes(exposure: Exposure, matches: Catalog) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return reference magnitudes in the band of the exposure, and measured minus these; NaN where not known."""
    nothing = np.full(len(matches), np.nan)
    name = _flux_column(exposure, matches)
    if name is None or exposure.photo_calib is None:
        return nothing, nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        reference = _NANOJANSKY - 2.5 * np.log10(np.asarray(matches[name], float))
    measured = exposure.photo_calib.mean.magnitude(matches["src_base_PsfFlux_instFlux"])
    used = (
        matches["src_calib_photometry_used"] if "src_calib_photometry_used" in matches else np.ones(len(matches), bool)
    )
    difference = np.where(used, measured - reference, np.nan)
    return reference, difference - float(np.nanmedian(difference)) if np.isfinite(difference).any() else nothing


def _colors(exposure: Exposure, matches: Catalog) -> NDArray[np.float64]:
    """Return a color of reference stars: of the band of the exposure and its neighbor; NaN where not known."""
    names = [name for name in matches.columns if name.startswith("ref_") and name.endswith("_flux")]
    name = _flux_column(exposure, matches)
    if name not in names or len(names) < 2:
        return np.full(len(matches), np.nan)
    first = min(names.index(name), len(names) - 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(matches[names[first]], float) / np.asarray(matches[names[first + 1]], float)
        return np.asarray(np.where(ratio > 0, -2.5 * np.log10(ratio), np.nan))


def _color_name(exposure: Exposure, matches: Catalog) -> str:
    names = [name for name in matches.columns if name.startswith("ref_") and name.endswith("_flux")]
    name = _flux_column(exposure, matches)
    if name not in names or len(names) < 2:
        return ""
    first = min(names.index(name), len(names) - 2)
    return " - ".join(column.removeprefix("ref_").removesuffix("_flux") for column in names[first : first + 2])


def _flux_column(exposure: Exposure, matches: Catalog) -> str | None:
    names = [name for name in matches.columns if name.startswith("ref_") and name.endswith("_flux")]
    wanted = exposure.physical_filter.lower()
    for name in names:
        band = name.removeprefix("ref_").removesuffix("_flux").lower()
        if band == wanted or wanted.endswith(f"-{band}") or wanted.startswith(f"{band}_"):
            return name
    return names[0] if len(names) == 1 else None


def _profile(exposure: Exposure, stars: Catalog) -> dict[str, Any] | None:
    """Return the radial profile and the curve of growth of bright PSF stars, and those of the model."""
    if exposure.psf is None or "calib_psf_candidate" not in stars:
        return None
    height, width = exposure.shape
    image = exposure.masked_image.image
    sigma = (
        float(np.sqrt(np.median(0.5 * (stars["base_SdssShape_psf_xx"] + stars["base_SdssShape_psf_yy"]))))
        if len(stars)
        else 0.0
    )
    if not (math.isfinite(sigma) and sigma > 0):
        return None
    half = int(min(max(8, math.ceil(5 * _FWHM * sigma / 2)), 60))
    edges = np.linspace(0.0, half - 1, 16)
    profiles, growths, models, model_growths = [], [], [], []
    for row in np.flatnonzero(stars["calib_psf_candidate"])[:_PROFILE_STARS]:
        x, y = float(stars["base_SdssCentroid_x"][row]), float(stars["base_SdssCentroid_y"][row])
        if not (half < x < width - half - 1 and half < y < height - half - 1):
            continue
        left, low = round(x) - half, round(y) - half
        stamp = image[low : low + 2 * half + 1, left : left + 2 * half + 1]
        profile, growth = _rings(stamp, (x - left, y - low), edges)
        profiles.append(_scaled(profile, 0))
        growths.append(_scaled(growth, -1))
        model = exposure.psf.render(x=[x], y=[y])[0]
        middle = ((model.shape[1] - 1) / 2 + x - round(x), (model.shape[0] - 1) / 2 + y - round(y))
        reach = edges[edges <= min(model.shape) / 2 - 1]
        profile, growth = _rings(model, middle, reach)
        models.append(np.pad(_scaled(profile, 0), (0, len(edges) - len(reach))))
        model_growths.append(np.pad(_scaled(growth, -1), (0, len(edges) - len(reach)), constant_values=1.0))
    if not profiles:
        return None
    medians = [np.nanmedian(np.array(found), axis=0) for found in (profiles, growths, models, model_growths)]
    radius = 0.5 * (edges[1:] + edges[:-1])
    names = ("star", "growth", "model", "model_growth")
    curves = {name: _rounded(values, 4) for name, values in zip(names, medians, strict=True)}
    return {"radius": _rounded(radius, 2), "n": len(profiles), **curves}


def _rings(
    image: NDArray[np.floating], center: tuple[float, float], edges: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean in each ring and the sum within it, of pixels that are finite; the first edge is 0."""
    good = np.isfinite(image)
    x, y = (np.full(len(edges) - 1, value) for value in center)
    growth, area = (
        np.asarray(sep.sum_circle(np.ascontiguousarray(plane, np.float64), x, y, edges[1:], subpix=0)[0])
        for plane in (np.where(good, image, 0.0), good)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.diff(growth, prepend=0.0) / np.diff(area, prepend=0.0), growth


def _scaled(profile: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """Return a profile over its value at a place; NaN if that is not positive."""
    return np.asarray(profile / profile[index] if profile[index] > 0 else np.full(len(profile), np.nan))


def _rounded(values: ArrayLike, digits: int) -> list[float | None]:
    array = np.asarray(values, float)
    return [round(float(value), digits) if math.isfinite(value) else None for value in array]


def _round(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
