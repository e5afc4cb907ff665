"""A PSF from what there is: from many stars, from few, from a Gaussian of the sources' moments, or assumed."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.shape import psf_sigma
from obs.algorithms.pixels.statistics import robust_sigma, weighted_median
from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.psf.fit import PsfFit, fit_psf
from obs.algorithms.psf.neighbors import model_sources, without_neighbors
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.gaussian_psf import gaussian_psf
from obs.image.psf import PixelPsf, Psf
from obs.tasks.psf_sizes import FWHM_PER_SIGMA, psf_stamp_size
from obs.tasks.psf_stars import ENOUGH_STARS, BrightSources, isolated_sources

__all__ = ["Origin", "PsfConfig", "PsfModel", "add_psf_rung", "has_similar_width", "model_psf"]

Origin = Literal["given", "stars", "few stars", "nearest good exposure", "gaussian", "assumed"]
"""Where a PSF comes from, the best first; ``given`` with the exposure."""

RUNGS: tuple[Origin, ...] = get_args(Origin)

SEEING_CHANGE = 1.25
"""Largest ratio of the sizes of sources and of the PSF of another exposure that is used for them."""

STAMP_PIXELS = 2_000_000
"""Stamps of so many pixels in all say what there is to say; of wide stars fewer are used."""

NEIGHBOR_ERROR = 0.1
"""Relative error of the light of neighbors that is taken away in a crowd."""

CONFUSION_PIXELS = 500_000
"""Pixels from which the scatter of stars that are not resolved is measured."""

LEAST_SIGNAL = 10.0
"""Signal-to-noise ratio of the sources whose moments a Gaussian may have."""


class PsfConfig(TaskConfig):
    """How the PSF is fitted."""

    stamp_size: int | None = setting(
        None, "Size of the stamps of stars, odd; six times their width, but at least 31, if null.",
        unit="pixel", ge=7, le=201,
    )  # fmt: skip
    degree: int | None = setting(
        None, "Degree of the polynomial over the detector; by the number of stars if null.", ge=0
    )
    sampling: float | None = setting(
        None,
        "Step of the pixels of the PSF model. If null, it is chosen by the width of the stars. Lower it for "
        "undersampled stars.",
        unit="pixel",
        gt=0,
    )
    minimum_stars: int = setting(
        1,
        "Minimum number of stars to fit an image of the PSF. With fewer, the PSF is a Gaussian with the moments "
        "of the sources.",
        ge=1,
    )


@frozen
class PsfModel:
    """A PSF, where it comes from, and the fit if there was one.

    Parameters
    ----------
    psf : Psf
        The PSF.
    origin : str
        Where it comes from.
    fit : PsfFit or None
        The fit to stars.
    exposure : str
        The exposure that it was measured on, if that is another one.
    """

    psf: Psf
    origin: Origin
    fit: PsfFit | None = None
    exposure: str = ""


def model_psf(
    exposure: Exposure,
    bright: BrightSources,
    stars: NDArray[np.bool_],
    reserved: NDArray[np.bool_],
    config: PsfConfig,
    *,
    is_draft: bool = False,
) -> PsfModel | None:
    """Fit a PSF to stars, or make one of the moments of the sources there are.

    Parameters
    ----------
    exposure : Exposure
        Background-subtracted pixels.
    bright : BrightSources
        Sources.
    stars, reserved : ndarray of bool, shape (n,)
        The stars, and those of them that are kept out of the fit.
    config : PsfConfig
        Settings.
    is_draft : bool, default: False
        Whether the PSF only serves to find better stars; see `obs.algorithms.psf.fit.fit_psf`.

    Returns
    -------
    PsfModel or None
        None where no source says anything about the PSF.
    """
    n_star = int(np.count_nonzero(stars))
    size = config.stamp_size or _size_of_stars(bright, stars)
    if n_star >= config.minimum_stars:
        try:
            fit = _fit(exposure, bright, stars, reserved, size, config, is_draft=is_draft)
            height, width = exposure.shape
            psf_sigma(fit.psf, x=0.5 * (width - 1), y=0.5 * (height - 1))
        except MeasurementError:
            pass  # stamps that are mostly masked, or an image that is not a star's: moments are all that is left
        else:
            return PsfModel(fit.psf, "stars" if n_star >= ENOUGH_STARS else "few stars", fit)
    psf = _from_moments(bright, stars, config)
    return None if psf is None else PsfModel(psf, "gaussian")


def has_similar_width(psf: Psf, model: PsfModel, shape: tuple[int, int]) -> bool:
    """Return whether the PSF of another exposure is as wide as the sources of this one, as far as they show it.

    Parameters
    ----------
    psf : Psf
        PSF of the other exposure.
    model : PsfModel
        What the sources of this exposure gave.
    shape : tuple of int
        Shape (ny, nx) of the exposure.
    """
    if model.origin == "assumed":
        return True
    middle = {"x": 0.5 * (shape[1] - 1), "y": 0.5 * (shape[0] - 1)}
    ratio = psf_sigma(psf, **middle) / psf_sigma(model.psf, **middle)
    return 1.0 / SEEING_CHANGE < ratio < SEEING_CHANGE


def add_psf_rung(catalog: Catalog, origin: Origin) -> None:
    """Add a column and a card that say where the PSF of a catalog comes from.

    Parameters
    ----------
    catalog : Catalog
        Sources; changed in place.
    origin : str
        Where the PSF comes from.
    """
    meaning = ", ".join(f"{rung} {name}" for rung, name in enumerate(RUNGS))
    rung = np.full(len(catalog), RUNGS.index(origin), np.uint8)
    catalog.add("psf_rung", rung, "", f"where the PSF comes from, the best first: {meaning}")
    catalog.metadata["PSFORIG"] = origin


def _moments(bright: BrightSources, which: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Moments xx, yy, xy that sources have in the median, the bright ones counting more."""
    catalog = bright.catalog
    signal = catalog["base_PsfFlux_instFlux"][which] / catalog["base_PsfFlux_instFluxErr"][which]
    weight = np.clip(signal, 1.0, 100.0)
    xx, yy, xy = (weighted_median(catalog[f"base_SdssShape_{name}"][which], weight) for name in ("xx", "yy", "xy"))
    return xx, yy, xy


def _size_of_stars(bright: BrightSources, stars: NDArray[np.bool_]) -> int:
    """Size of stamps that hold stars along their longer axis."""
    if not stars.any():
        return psf_stamp_size(FWHM_PER_SIGMA * bright.sigma)
    xx, yy, xy = _moments(bright, stars)
    longest = 0.5 * (xx + yy) + np.hypot(0.5 * (xx - yy), xy)
    return psf_stamp_size(FWHM_PER_SIGMA * float(np.sqrt(longest)))


def _from_moments(bright: BrightSources, stars: NDArray[np.bool_], config: PsfConfig) -> PixelPsf | None:
    """Gaussian with the moments of stars, or else of whatever is bright; None where nothing is."""
    catalog = bright.catalog
    measured = ~catalog["base_SdssShape_flag"] & np.isfinite(catalog["base_PsfFlux_instFlux"])
    measured &= catalog["base_PsfFlux_instFlux"] > LEAST_SIGNAL * catalog["base_PsfFlux_instFluxErr"]
    choices: Sequence[NDArray[np.bool_]] = (stars, isolated_sources(bright) & measured, measured)
    for which in choices:
        if which.any():
            size = config.stamp_size or _size_of_stars(bright, which)
            return gaussian_psf(*_moments(bright, which), size)
    return None


def _fit(
    exposure: Exposure,
    bright: BrightSources,
    stars: NDArray[np.bool_],
    reserved: NDArray[np.bool_],
    size: int,
    config: PsfConfig,
    *,
    is_draft: bool,
) -> PsfFit:
    catalog, footprints = bright.catalog, bright.footprints
    masked_image = exposure.masked_image
    half = size // 2
    chosen = _brightest(bright, stars, max(STAMP_PIXELS // size**2, 50))
    x, y = catalog["base_SdssCentroid_x"][chosen], catalog["base_SdssCentroid_y"][chosen]
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    image, variance = (plane_windows(a, row, column, half) for a in (masked_image.image, masked_image.variance))
    mask, labels = (plane_windows(a, row, column, half) for a in (masked_image.mask.array, footprints.labels))
    planes = masked_image.mask.known_bits(["BAD", "SAT", "INTRP", "CR", "NO_DATA", "SUSPECT", "UNMASKEDNAN"])
    good = ((mask & planes) == 0) & (variance > 0)
    if bright.crowded:
        image, neighbors, confusion = _without_neighbors(exposure, bright, chosen, half)
        # what a model says of neighbors is only so good, and stars that are not resolved leave light everywhere
        variance = variance + np.square(NEIGHBOR_ERROR * neighbors) + np.float32(confusion**2)
    else:
        # a footprint's number is its row in the catalog, from one; a variance of zero lies outside the image
        # sources too faint to be listed here have no footprint, but the mask knows where they are
        faint = (mask & masked_image.mask.known_bits(["DETECTED"])) != 0
        good &= (labels == chosen[:, None, None] + 1) | ((labels == 0) & ~faint)
    return fit_psf(
        image,
        variance,
        good,
        x=x,
        y=y,
        shape=exposure.shape,
        use=~reserved[chosen],
        degree=config.degree,
        sampling=config.sampling,
        min_stars=config.minimum_stars,
        fit_offset=bright.crowded,
        is_draft=is_draft,
    )


def _without_neighbors(
    exposure: Exposure, bright: BrightSources, chosen: NDArray[np.int64], half: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Cut stamps of stars without the model of all other sources; return that too, and the scatter that it leaves."""
    catalog, image = bright.catalog, exposure.masked_image.image
    x, y, flux = (catalog[name] for name in ("base_SdssCentroid_x", "base_SdssCentroid_y", "base_PsfFlux_instFlux"))
    single = catalog["deblend_nChild"] == 0
    model = model_sources(bright.psf, x[single], y[single], np.maximum(flux[single], 0.0), image.shape)
    rows = slice(None, None, max(1, image.size // CONFUSION_PIXELS))
    noise = float(np.nanmedian(exposure.masked_image.variance[rows]))
    confusion = np.sqrt(max(robust_sigma(image[rows] - model[rows]) ** 2 - noise, 0.0))
    return *without_neighbors(image, model, bright.psf, x[chosen], y[chosen], flux[chosen], half), float(confusion)


def _brightest(bright: BrightSources, stars: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """Rows of the stars, of many those with the best signal-to-noise ratio."""
    rows = np.flatnonzero(stars)
    if len(rows) <= most:
        return rows
    catalog = bright.catalog
    signal = catalog["base_PsfFlux_instFlux"][rows] / catalog["base_PsfFlux_instFluxErr"][rows]
    return np.sort(rows[np.argsort(-signal, kind="stable")[:most]])
