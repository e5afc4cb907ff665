"""Bring fluxes to the scale of the reference aperture, or to all light of the PSF."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import aperture_name
from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.photometry.aperture_correction import (
    LEAST_STARS,
    ApertureCorrection,
    Step,
    fit_aperture_correction,
)
from obs.algorithms.photometry.growth import Growth, predict_growth
from obs.algorithms.pixels.statistics import weighted_median
from obs.algorithms.psf.width import half_maximum_width
from obs.algorithms.psf.wings import Rings, fit_flux_beyond_radius
from obs.config.base import TaskConfig, setting
from obs.image.catalog import Catalog
from obs.image.psf import Psf
from obs.tasks.measure import MeasurementConfig, classify

__all__ = [
    "CORRECTED",
    "PSF_LIGHT_CARD",
    "ApertureCorrectionConfig",
    "apply_aperture_correction",
    "fit_aperture_corrections",
    "warn_of_poor_correction",
]

CORRECTED = ("base_PsfFlux", "base_GaussianFlux")
"""Fluxes whose scale the aperture correction brings to that of the reference aperture."""

PSF_LIGHT_CARD = "PSFLIGHT"
"""Card of the part of the light of the PSF model that corrected fluxes count, in the middle of the image."""

KRON = "ext_photometryKron_KronFlux"

MIDDLE, WIDE = 0.7, 2.5
"""The aperture by way of which fluxes are corrected has at most this part of the radius of the reference aperture, and
at most so many FWHM: around undersampled stars a wider one holds hardly any more light, and all of the noise."""

SMALL_SHARE = 0.7
"""Fewer of the stars than this agree where something is wrong with them."""

LARGE_SCALE = 0.05
"""The PSF model and stars differ by less in the light of the reference aperture where the model is right."""

STARS_FOR_RINGS = 10
"""Fewer stars do not tell the light around them from that of their neighbors."""

NEIGHBOUR = 0.02
"""A neighbor with more than this part of a star's light brightens the star's aperture."""

NEAREST_RING, FURTHEST_RING = 0.7, 40.0
"""Rings about stars begin at this part of the reference aperture, and end at this radius, pixels: further out there is
more of the neighbors' light than of the stars'."""

POOR_PROFILE = 1.2
"""Chi-squared of each ring above which a profile of wings is not believed where nobody insists: it is 0.1 to 0.5 for
round stars, and 1.5 for coma that grows outward, of whose light it put 1.3 % beyond the aperture instead of 0.6."""

LEAST_BEYOND = 0.01
"""Light beyond the reference aperture that is counted where nobody insists. Rings err by 0.2 %, one profile of PSFs
whose width changes over the image by 0.8 %, and ordinary stars have 0.2 % there."""

MEDIAN_ERROR = 1.2533
"""Error of a median in errors of a mean."""


class ApertureCorrectionConfig(TaskConfig):
    """How fluxes are brought to the scale of the reference aperture."""

    enabled: bool = setting(
        True, "Apply aperture corrections, so that an isolated star has the same PSF, Gaussian and Kron flux."
    )
    to_total: bool | None = setting(
        False,
        "Scale to the light of the whole PSF, not only to its light in the reference aperture. A "
        "larger aperture would do the same, but holds more light of neighbors too faint to be known. If null, this is "
        "done where rings about stars show that more than 1 % is outside, else not.",
    )
    order: int = setting(
        3,
        "Largest total order of the surface by which the ratio of fluxes may depart from the prediction of the PSF "
        "model. Stars decide how far it departs. 0 fits a scale only.",
        ge=0,
        le=6,
    )
    minimum_signal_to_noise: float = setting(
        50.0,
        "Minimum signal-to-noise ratio of stars for the aperture correction, unless fewer than minimum_stars would "
        "remain. In deep fields, neighbors too faint to be known brighten the apertures of faint stars.",
        gt=0,
    )
    minimum_stars: int = setting(
        12, "Minimum number of stars for the aperture correction. With fewer, fainter stars are used, too.", ge=1
    )
    robust: bool = setting(
        True,
        "Leave out stars with neighbors, and let large residuals hardly count, since neighbors only ever add light; "
        "else all stars count by least squares, as in the LSST stack.",
    )
    clip: float = setting(
        3.0,
        "Stars further from the fit of the aperture correction are left out. Lower it in fields with many neighbors.",
        unit="sigma",
        gt=0,
    )


def fit_aperture_corrections(
    catalog: Catalog,
    stars: NDArray[np.bool_],
    psf: Psf,
    shape: tuple[int, int],
    config: MeasurementConfig,
    correction: ApertureCorrectionConfig,
    *,
    crowded: bool = False,
) -> dict[str, ApertureCorrection]:
    """Fit the ratio of the reference aperture to other fluxes of stars.

    Parameters
    ----------
    catalog : Catalog
        Measured sources.
    stars : ndarray of bool, shape (n,)
        Bright unblended stars.
    psf : Psf
        Point-spread function, for what is outside the reference aperture.
    shape : tuple of int
        Shape (ny, nx) of the image.
    config : MeasurementConfig
        Says which aperture is the reference.
    correction : ApertureCorrectionConfig
        Settings.
    crowded : bool, optional
        Stars that are not resolved lie in every aperture: unless enough stars have no neighbor that is known, the PSF
        model alone counts.

    Returns
    -------
    dict of str to ApertureCorrection
        Flux name to correction; NaN where there were too few stars. Where fluxes are scaled to all light, that of the
        reference aperture itself is among them.
    """
    reference = aperture_name(config.reference_radius)
    usable = stars & ~catalog[f"{reference}_flag"]
    limit = correction.minimum_signal_to_noise * catalog["base_PsfFlux_instFluxErr"]
    bright = usable & (catalog["base_PsfFlux_instFlux"] > limit)
    choices = [bright]
    if correction.robust:
        alone = bright & _isolated(catalog, bright, 2 * config.reference_radius)
        choices += [alone, alone & ~_touched(catalog)]
    for better in choices:
        if np.count_nonzero(better) >= correction.minimum_stars:
            usable = better
    if crowded and correction.robust and np.count_nonzero(choices[1]) < correction.minimum_stars:
        usable = np.zeros(len(catalog), bool)
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    middle = _middle_radius(config, half_maximum_width(psf, x=0.5 * (shape[1] - 1), y=0.5 * (shape[0] - 1)))
    radii = (middle, config.reference_radius) if middle else (config.reference_radius,)
    growth = predict_growth(psf, shape, radii, maximum_sinc_radius=config.maximum_sinc_radius)
    within = growth.apertures[config.reference_radius]
    total = within
    beyond = None
    if correction.to_total or (correction.to_total is None and usable.any()):
        beyond = _beyond(catalog, usable, psf, shape, config, stamp_tells=bool(correction.to_total))
    if beyond is not None:
        # rings are those of all stars, whose wings may change over the image
        placed = usable & np.isfinite(x) & np.isfinite(y)
        seen = growth.factor(np.ones_like(within), within).evaluate(x=x[placed], y=y[placed])
        known = float(seen.mean()) if len(seen) else float(within[len(within) // 2])
        total = np.full(len(within), known * (1.0 + beyond))
    # the PSF finds all light, and so does the Kron ellipse after what the PSF has outside it is added
    found = {"base_PsfFlux": np.ones_like(within), "base_GaussianFlux": growth.gaussian, KRON: np.ones_like(within)}
    fits = {
        name: fit_aperture_correction(
            x=x,
            y=y,
            steps=_steps(catalog, name, found[name], growth, radii),
            growth=growth.factor(found[name], total),
            use=usable & ~catalog[f"{name}_flag"],
            order=correction.order,
            clip=correction.clip,
            robust=correction.robust,
        )
        for name in (*CORRECTED, *([KRON] if f"{KRON}_psfFraction" in catalog else []))
    }
    if beyond is not None:
        # the profile gives this factor without a fit to each star
        fits[reference] = ApertureCorrection(growth.factor(within, total), (), np.nan, usable, int(usable.sum()))
    return fits


def warn_of_poor_correction(correction: ApertureCorrection, *, crowded: bool = False) -> list[str]:
    """Return what contradicts the aperture correction of PSF fluxes, judged by all stars and not by those kept.

    Parameters
    ----------
    correction : ApertureCorrection
        The correction of PSF fluxes.
    crowded : bool, default: False
        Whether the field is crowded, so that few stars are without neighbors.

    Returns
    -------
    list of str
        One text for each problem.
    """
    if not correction.fits:
        if crowded:
            return ["the aperture correction is that of the PSF model alone: too few stars are without neighbors"]
        return [
            f"the aperture correction is that of the PSF model alone: {correction.n_considered} of its stars can be "
            f"used, {LEAST_STARS} are needed to scale it"
        ]
    doubts = []
    if correction.n_star < SMALL_SHARE * correction.n_considered:
        doubts.append(
            f"the aperture correction rests on {correction.n_star} of {correction.n_considered} stars, the others "
            "disagree: their neighbors or the PSF model may be the cause"
        )
    middle = [0.5 * (size - 1) for size in correction.growth.shape]
    at = {"x": middle[1], "y": middle[0]}
    scale = float(correction.evaluate(**at) / correction.growth.evaluate(**at))
    if abs(scale - 1.0) > LARGE_SCALE:
        doubts.append(
            f"stars have {scale:.2f} times the light in the reference aperture that the PSF model predicts: the model "
            "does not fit their wings, or the background under them is wrong"
        )
    return doubts


def _middle_radius(config: MeasurementConfig, fwhm: float) -> float | None:
    """Return the widest aperture that is well inside the reference aperture and holds most of the light."""
    widest = MIDDLE * config.reference_radius
    radii = [radius for radius in config.radii() if fwhm < radius <= widest]
    return max((radius for radius in radii if radius <= WIDE * fwhm), default=min(radii, default=None))


def _steps(
    catalog: Catalog, name: str, found: NDArray[np.float64], growth: Growth, radii: tuple[float, ...]
) -> tuple[Step, ...]:
    """Return the way of a flux to the reference aperture by way of the aperture between."""
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    steps = []
    for radius in radii:
        wider, wanted = aperture_name(radius), growth.apertures[radius]
        predicted = growth.factor(found, wanted).evaluate(x=x, y=y)
        flux, flux_err = (catalog[f"{wider}_{column}"] for column in ("instFlux", "instFluxErr"))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = flux / (catalog[f"{name}_instFlux"] / _caught(catalog, name) * predicted)
            steps.append(Step(ratio, flux_err / np.abs(flux)))
        name, found = wider, wanted
    return tuple(steps)


def _caught(catalog: Catalog, name: str) -> NDArray[np.float64]:
    """Return the part of a point source's light that a flux finds by its own size: one if its size is not its own."""
    return catalog[f"{KRON}_psfFraction"] if name == KRON else np.ones(len(catalog))


def _isolated(catalog: Catalog, stars: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Which stars have no neighbor within a radius, pixels, whose wings would count in their apertures."""
    primary = catalog["detect_isPrimary"] & np.isfinite(catalog["base_PsfFlux_instFlux"])
    index, rows = np.flatnonzero(stars), np.flatnonzero(primary)
    place, flux = (
        np.c_[catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]],
        catalog["base_PsfFlux_instFlux"],
    )
    result = stars.copy()
    start, near = PointTree(place[rows]).list_within(place[index], radius)
    for star, first, end in zip(index, start[:-1], start[1:], strict=True):
        others = rows[near[first:end]]
        result[star] = not np.any(flux[others[others != star]] > NEIGHBOUR * flux[star])
    return result


def _touched(catalog: Catalog) -> NDArray[np.bool_]:
    """Which sources have pixels that were filled: what is left about cosmic rays and defects brightens apertures."""
    touched = np.zeros(len(catalog), bool)
    for kind in ("cr", "interpolated", "bad"):
        if (name := f"base_PixelFlags_flag_{kind}") in catalog:
            touched |= catalog[name]
    return touched


def _beyond(
    catalog: Catalog,
    stars: NDArray[np.bool_],
    psf: Psf,
    shape: tuple[int, int],
    config: MeasurementConfig,
    *,
    stamp_tells: bool,
) -> float | None:
    """Light of a star in the middle beyond the reference aperture, in units of that within.

    Without rings the stamp of the PSF model tells. If it is not to, the light is not known there, nor where no profile
    fits, nor where it is no more than rings and profile err.
    """
    x, y = 0.5 * (shape[1] - 1), 0.5 * (shape[0] - 1)
    fwhm = half_maximum_width(psf, x=x, y=y)
    rings = _rings(catalog, stars, config)
    if rings is None and not stamp_tells:
        return None
    limit = np.inf if stamp_tells else POOR_PROFILE
    stamp = psf.evaluate(x=[x], y=[y])[0]
    beyond = fit_flux_beyond_radius(stamp, fwhm, config.reference_radius, rings, largest_chi2=limit)
    return beyond if stamp_tells or beyond > LEAST_BEYOND else None


def _rings(catalog: Catalog, stars: NDArray[np.bool_], config: MeasurementConfig) -> Rings | None:
    """Light between apertures about stars, from inside the reference aperture outward; None where it is not known."""
    radii = [radius for radius in config.radii() if NEAREST_RING * config.reference_radius <= radius <= FURTHEST_RING]
    names = [aperture_name(radius) for radius in radii]
    for name in names:
        stars = stars & ~catalog[f"{name}_flag"]
    # what no neighbor claims of a blend went to the nearest, which is mostly the star
    single = stars & (catalog["parent"] == 0)
    if np.count_nonzero(single) >= STARS_FOR_RINGS:
        stars = single
    if sum(radius > config.reference_radius for radius in radii) < 2 or np.count_nonzero(stars) < STARS_FOR_RINGS:
        return None
    flux, variance = (
        [power(catalog[f"{name}_{column}"][stars]) for name in names]
        for column, power in (("instFlux", np.positive), ("instFluxErr", np.square))
    )
    light = catalog[f"{aperture_name(config.reference_radius)}_instFlux"][stars]
    brightness, error = np.empty((2, len(radii) - 1))
    low, high = np.array(radii[:-1]), np.array(radii[1:])
    for k, area in enumerate(np.pi * (high**2 - low**2)):
        ratio = (flux[k + 1] - flux[k]) / (light * area)
        sigma = np.sqrt(np.maximum(variance[k + 1] - variance[k], 0.0)) / (light * area)
        # neighbors are of no star's noise: that keeps the brightest from deciding alone
        weight = 1.0 / (sigma**2 + (0.5 * np.median(sigma)) ** 2)
        brightness[k], error[k] = weighted_median(ratio, weight), MEDIAN_ERROR / np.sqrt(weight.sum())
    return Rings(low, high, brightness, error)


def apply_aperture_correction(
    catalog: Catalog,
    corrections: dict[str, ApertureCorrection],
    config: MeasurementConfig,
    scale: NDArray[np.float64] | None = None,
) -> None:
    """Multiply fluxes by their corrections, and classify anew. A correction that is not known is one, and flagged.

    Kron fluxes get the light that a point source has outside their ellipse, so that stars have one flux however it is
    measured. Ellipses of galaxies hold almost all of the PSF, and their fluxes change by little but the common scale.

    Apertures stay what they are: theirs is written down, not applied.

    Parameters
    ----------
    catalog : Catalog
        Changed in place; gains ``*_apCorr``, ``*_apCorrErr`` and ``*_flag_apCorr``.
    corrections : dict of str to ApertureCorrection
        Flux name to correction.
    config : MeasurementConfig
        Settings of the classification.
    scale : ndarray of float64, shape (n,), optional
        Factor of each source by which all corrections are multiplied.
    """
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    for name, correction in corrections.items():
        factor, factor_err = correction.evaluate(x=x, y=y), correction.evaluate_error(x=x, y=y)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (1.0 if scale is None else scale) / _caught(catalog, name)
            factor, factor_err = factor * ratio, factor_err * ratio
        known = np.isfinite(factor) & (factor > 0)
        factor = np.where(known, factor, 1.0)
        meaning = f"aperture correction applied to {name}"
        if name in (*CORRECTED, KRON):
            for column in (f"{name}_instFlux", f"{name}_instFluxErr"):
                old = catalog.columns[column]
                catalog.add(column, old.data * factor, old.unit, old.description)
        else:
            meaning = f"factor from {name} to all light, not applied"
        catalog.add(f"{name}_apCorr", np.where(known, factor, np.nan), "", meaning)
        catalog.add(f"{name}_apCorrErr", np.where(known, factor_err, np.nan), "", "its standard error")
        catalog.add(f"{name}_flag_apCorr", ~known, "", f"{name}: no aperture correction is known")
    classify(catalog, config.extendedness_ratio)
