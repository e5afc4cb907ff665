"""Measure detected sources and write down the result as a catalog with LSST's columns."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.blend_errors import measure_blend_errors
from obs.algorithms.measure.extendedness import classify_extendedness
from obs.algorithms.measure.pixel_flags import ANYWHERE, AT_CENTER, measure_pixel_flags
from obs.algorithms.measure.sources import measure_sources
from obs.algorithms.pixels.statistics import clipped_statistics
from obs.algorithms.sky.correlation import measure_noise_correlation
from obs.algorithms.sources.companions import add_companions
from obs.algorithms.sources.deblend import Children, deblend
from obs.algorithms.sources.detection import Footprints
from obs.algorithms.sources.saturated import restore_saturated
from obs.algorithms.sources.stamps import SourceList, StampCutter, list_sources
from obs.config.base import Positive, TaskConfig, setting
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.psf import Psf
from obs.image.wcs import TanSipWcs
from obs.instrument.exposure_packer import largest_exposure_id
from obs.tasks.local_sky import subtract_local_sky
from obs.tasks.psf_sizes import REFERENCE_RADIUS, reference_radius

__all__ = [
    "DeblendConfig",
    "MeasurementConfig",
    "classify",
    "measure_catalog",
    "set_sky_coordinates",
]

ID_BITS = 64

SKY_EXCLUDES = ["BAD", "SAT", "INTRP", "CR", "NO_DATA", "UNMASKEDNAN", "SUSPECT", "DETECTED", "DETECTED_NEGATIVE"]
"""Mask planes of pixels that do not show the noise of the sky."""

HIDES_COMPANIONS = ["BAD", "SAT", "INTRP", "CR", "NO_DATA", "UNMASKEDNAN", "SUSPECT", "STREAK"]
"""Mask planes about which companions of stars are not looked for."""

BLEND_REACH = 2.5
"""Distance, full widths of the PSF, within which parts of blends enlarge the errors of one another."""

NOISE_SAMPLE = 1_000_000
"""Of larger images every k-th row, which together have about this many pixels, tells the noise."""

UNDERSAMPLED_FWHM = 2.0
"""Full width of the PSF, pixels, below which apertures are integrated over pixels."""


class MeasurementConfig(TaskConfig):
    """What is measured of each source."""

    apertures: list[Positive] = setting(
        [3.0, 4.5, 6.0, 9.0, 12.0, 17.0, 25.0],
        "Radii of the circular apertures in which fluxes are measured.",
        unit="pixel",
        min_length=1,
    )
    reference_aperture: float | None = setting(
        None,
        "Radius of the aperture to which fluxes are corrected and with which the zero point is fitted; measured even "
        "if it is not in the list. If null, 12 pixels, but at least 2.7 and at most 5 times the width of the PSF.",
        unit="pixel",
        gt=0,
    )
    maximum_sinc_radius: float = setting(
        10.0,
        "Largest radius of apertures that are integrated over the band-limited image. Larger ones are "
        "integrated over pixels, which is faster.",
        unit="pixel",
        ge=0,
    )
    kron: bool = setting(True, "Measure Kron fluxes, which suit galaxies.")
    saturated_cores: bool = setting(
        True,
        "Fit the PSF to the pixels around the cores of saturated stars, which shows where they are. Else they are "
        "measured as they were filled, as in the LSST stack.",
    )
    local_sky: bool = setting(
        False,
        "Subtract the sky in an annulus about each source, of 3 to 6.5 widths of the PSF, from its fluxes. Useful in "
        "nebulae and in the light of galaxies and comets; elsewhere it adds noise, 1 to 3 % for point sources.",
    )
    correlated_noise: Literal["none", "positions", "all"] = setting(
        "all",
        "Errors that include noise which neighboring pixels share, as measured on the sky: those of no quantity, as in "
        "the LSST stack; those of positions, moments and spread; or those of fluxes too.",
    )
    extendedness_ratio: float = setting(
        0.925, "A source is extended where this many times its Gaussian flux reaches its PSF flux.", gt=0, le=2
    )

    @property
    def reference_radius(self) -> float:
        """Radius of the reference aperture, pixels; that of ordinary seeing until the PSF is known."""
        return REFERENCE_RADIUS if self.reference_aperture is None else self.reference_aperture

    def radii(self) -> list[float]:
        """All aperture radii, sorted, in pixels."""
        return sorted({*self.apertures, self.reference_radius})

    def scaled(self, fwhm: float, extent: float = float("inf"), elongation: float = 1.0) -> "MeasurementConfig":
        """Return settings in which what was left open follows from the PSF.

        Parameters
        ----------
        fwhm : float
            Its full width at half maximum, pixels.
        extent : float, optional
            Radius with 95 % of its light, pixels.
        elongation : float, optional
            Its long axis in units of the mean of both.
        """
        found: dict[str, float] = {}
        if self.reference_aperture is None and fwhm > 0:
            found["reference_aperture"] = reference_radius(fwhm, self.apertures, extent, elongation)
        if 0 < fwhm < UNDERSAMPLED_FWHM:
            # pixels of such images do not sample a band-limited one
            found["maximum_sinc_radius"] = 0.0
        return self.model_copy(update=found)


class DeblendConfig(TaskConfig):
    """How overlapping sources are divided."""

    enabled: bool = setting(True, "Divide footprints with several peaks into one source for each peak.")
    psf_chi2_cut: float = setting(
        1.5,
        "Largest reduced chi-squared, a number, at which a peak that fits the PSF is taken for a point source.",
        gt=0,
    )
    companions: bool = setting(
        True,
        "Look for stars in the wings of brighter ones that are not maxima of the smoothed image: where one PSF does "
        "not fit, but two do.",
    )


def measure_catalog(
    exposure: Exposure,
    footprints: Footprints,
    psf: Psf,
    config: MeasurementConfig,
    deblend_config: DeblendConfig | None,
    *,
    fwhm: float,
    exposure_id: int,
    exposure_id_bits: int,
    positions: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    restore_cores: bool = True,
) -> Catalog:
    """Deblend, measure, and list the sources.

    Parameters
    ----------
    exposure : Exposure
        Background-subtracted pixels with their mask.
    footprints : Footprints
        Detections.
    psf : Psf
        Point-spread function.
    config : MeasurementConfig
        Settings.
    deblend_config : DeblendConfig or None
        Settings of the deblender; None leaves blends whole.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    exposure_id, exposure_id_bits : int
        Number of the exposure, which begins every source id and seeds the noise in place of neighbors.
    positions : tuple of ndarray of float64, optional
        x and y of all sources, in the order of the result, at which they are measured: forced measurement. Footprints
        must have the peaks that the positions were measured with. NaN stands for the source's own centroid.
    restore_cores : bool, optional
        Put the PSF into the cores of saturated stars before they are measured; the exposure is not changed.

    Returns
    -------
    Catalog
        One row a footprint, then one a child. Sky coordinates are NaN, aperture corrections one.

    Raises
    ------
    MeasurementError
        If the exposure's number is too large for source ids to begin with it.
    """
    if not 0 <= exposure_id <= largest_exposure_id(exposure_id_bits):
        raise MeasurementError(
            f"the exposure id {exposure_id} leaves source ids no room in {ID_BITS} bits: with {exposure_id_bits} bits "
            f"it must be below 2^{exposure_id_bits - 1}; raise exposure_id_bits of the camera"
        )
    masked_image = exposure.masked_image
    finite, image = np.isfinite(masked_image.image), masked_image.image
    if not finite.all():
        image = np.where(finite, image, np.float32(0.0))
    del finite
    variance = masked_image.variance
    if restore_cores and config.saturated_cores:
        restored = restore_saturated(
            image, variance, masked_image.mask, footprints, psf, fwhm=fwhm, move_peaks=positions is None
        )
        image, variance, footprints = restored.image, restored.variance, restored.footprints
    if deblend_config is not None and deblend_config.enabled:
        chi2_cut = deblend_config.psf_chi2_cut
        if deblend_config.companions and positions is None:
            hidden = masked_image.mask.any_known(HIDES_COMPANIONS)
            footprints = add_companions(image, variance, hidden, footprints, psf, fwhm=fwhm, chi2_cut=chi2_cut)
            del hidden
        # by the noise alone: what the PSF misses of the wings of a bright star must not fall to others
        children = deblend(image, masked_image.variance, footprints, psf, fwhm=fwhm, psf_chi2_cut=chi2_cut)
    else:
        children = Children.none()
    sources = list_sources(footprints, children)
    step = max(2, image.size // NOISE_SAMPLE)
    noise = clipped_statistics(image[::step][footprints.labels[::step] == 0]).sigma
    cutter = StampCutter(
        image, variance, footprints, children, sources, noise=noise if noise > 0 else 0.0, seed=exposure_id
    )
    correlation = None
    if config.correlated_noise != "none":
        lit = masked_image.mask.any_known(SKY_EXCLUDES)
        lit |= footprints.labels != 0
        correlation = measure_noise_correlation(image, variance, lit)
        del lit
    measured = measure_sources(
        cutter,
        sources,
        footprints.labels,
        psf,
        apertures=config.radii(),
        maximum_sinc_radius=config.maximum_sinc_radius,
        kron=config.kron,
        noise=correlation,
        correlated_fluxes=config.correlated_noise == "all",
        positions=positions,
    )
    catalog = _identities(sources, children, exposure_id << (ID_BITS - exposure_id_bits))
    if positions is None:
        points = np.flatnonzero(sources.child >= 0)
        points = points[children.is_psf[sources.child[points]]]
        _widen_blended(measured.columns, points, psf, BLEND_REACH * fwhm)
    for name, values in measured.columns.items():
        catalog.add(name, values, *_meaning(name))
    if config.local_sky:
        unusable = masked_image.mask.known_bits(SKY_EXCLUDES)
        blank = (footprints.labels == 0) & ((masked_image.mask.array & unusable) == 0)
        subtract_local_sky(catalog, image, blank, psf, fwhm)
    flags = measure_pixel_flags(
        masked_image.mask,
        footprints.labels,
        sources,
        children,
        np.asarray(measured["base_SdssCentroid_x"]),
        np.asarray(measured["base_SdssCentroid_y"]),
    )
    for name, values in flags.items():
        planes = "|".join((*ANYWHERE.get(name, ()), *AT_CENTER.get(name, ())))
        where = "at the center" if name in AT_CENTER else "in the footprint"
        meaning = f"mask plane {planes} {where}" if planes else "centroid is outside the image"
        catalog.add(f"base_PixelFlags_flag_{name}", values, "", meaning)
    classify(catalog, config.extendedness_ratio)
    return catalog


def _widen_blended(columns: dict[str, NDArray[np.generic]], parts: NDArray[np.int64], psf: Psf, reach: float) -> None:
    """Enlarge errors of PSF fluxes and positions of stars in blends, in place: the others are not known well."""
    x, y = (np.asarray(columns[f"base_SdssCentroid_{axis}"], np.float64)[parts] for axis in "xy")
    factors = measure_blend_errors(psf, x, y, reach)
    errors = ("base_PsfFlux_instFluxErr", "base_SdssCentroid_xErr", "base_SdssCentroid_yErr")
    for name, factor in zip(errors, factors, strict=True):
        values = np.array(columns[name])
        values[parts] *= factor
        columns[name] = values


def _identities(sources: SourceList, children: Children, first: int) -> Catalog:
    n = len(sources)
    catalog = Catalog()
    number = first + 1 + np.arange(n, dtype=np.int64)
    parent = np.where(sources.parent >= 0, first + 1 + sources.parent, 0)
    is_psf = np.zeros(n, bool)
    is_psf[sources.child >= 0] = children.is_psf[sources.child[sources.child >= 0]]
    unknown = np.full(n, np.nan)
    catalog.add("id", number, "", "unique number: the exposure's number, then the source's")
    catalog.add("coord_ra", unknown, "deg", "right ascension of the centroid, ICRS")
    catalog.add("coord_dec", unknown.copy(), "deg", "declination of the centroid, ICRS")
    catalog.add("parent", parent, "", "id of the blend that the source is a child of, or 0")
    catalog.add("deblend_nChild", sources.n_child.astype(np.int32), "", "number of children, 0 if not blended")
    catalog.add("deblend_deblendedAsPsf", is_psf, "", "the deblender took the source for a point source")
    catalog.add("detect_isPrimary", sources.n_child == 0, "", "the source is not a blend that was divided")
    return catalog


def _meaning(name: str) -> tuple[str, str]:
    """Return unit and description of a measured column."""
    algorithm, _, rest = name.partition("_")
    for prefix, words in _ALGORITHMS.items():
        if name.startswith(prefix + "_"):
            algorithm, rest = words, name[len(prefix) + 1 :]
            break
    if name.startswith("base_CircularApertureFlux_"):
        whole, part, rest = name[len("base_CircularApertureFlux_") :].split("_", 2)
        algorithm = f"flux within {whole}.{part} pixels"
    if "flag" in rest:
        return "", f"{algorithm}: {_FLAGS[rest]}"
    unit, quantity = _QUANTITIES[rest]
    return unit, f"{algorithm}{quantity}"


_ALGORITHMS = {
    "base_SdssCentroid": "centroid, maximum of the PSF-smoothed image",
    "base_SdssShape_psf": "adaptive Gaussian moments of the PSF",
    "base_SdssShape": "adaptive Gaussian moments",
    "base_GaussianFlux": "flux of the adaptive Gaussian",
    "base_PsfFlux": "flux of the best-fitting PSF",
    "ext_photometryKron_KronFlux": "Kron flux",
    "base_ClassificationSpread": "spread",
}

_QUANTITIES = {
    "x": ("pix", ", x"),
    "y": ("pix", ", y"),
    "xErr": ("pix", ", standard error of x"),
    "yErr": ("pix", ", standard error of y"),
    "xx": ("pix2", ", xx"),
    "yy": ("pix2", ", yy"),
    "xy": ("pix2", ", xy"),
    "xxErr": ("pix2", ", standard error of xx"),
    "yyErr": ("pix2", ", standard error of yy"),
    "xyErr": ("pix2", ", standard error of xy"),
    "instFlux": ("ct", ""),
    "instFluxErr": ("ct", ", standard error"),
    "radius": ("pix", ", Kron radius"),
    "psfFraction": ("", ", part of the PSF's light within the same ellipse"),
    "value": ("", " beyond the PSF on the scale of SPREAD_MODEL, zero for point sources"),
    "valueErr": ("", ", standard error"),
}

_FLAGS = {
    "flag": "not to be trusted",
    "flag_edge": "too close to the border",
    "flag_resetToPeak": "the maximum left the footprint; this is the peak pixel",
    "flag_apertureTruncated": "the aperture leaves the image",
}


def classify(catalog: Catalog, ratio: float) -> None:
    """Tell point sources from extended ones, in place: those whose Gaussian flux exceeds the PSF flux by a ratio.

    Parameters
    ----------
    catalog : Catalog
        Sources with PSF and Gaussian fluxes after aperture correction. Receives the columns.
    ratio : float
        A source is extended if ``ratio`` times its Gaussian flux reaches its PSF flux.
    """
    psf = catalog["base_PsfFlux_instFlux"]
    model = catalog["base_GaussianFlux_instFlux"]
    value = classify_extendedness(psf, model, ratio)
    catalog.add("base_ClassificationExtendedness_value", value, "", "0 for a point source, 1 for an extended one")
    catalog.add("base_ClassificationExtendedness_flag", np.isnan(value), "", "extendedness is not known")


def set_sky_coordinates(catalog: Catalog, wcs: TanSipWcs | None) -> None:
    """Fill ``coord_ra`` and ``coord_dec``, degrees, from the centroids; NaN without a WCS.

    Parameters
    ----------
    catalog : Catalog
        Sources with centroids; changed in place.
    wcs : TanSipWcs or None
        WCS of the exposure.
    """
    if wcs is None:
        return
    ra, dec = wcs.pixel_to_sky(x=catalog["base_SdssCentroid_x"], y=catalog["base_SdssCentroid_y"])
    for name, values in (("coord_ra", ra), ("coord_dec", dec)):
        column = catalog.columns[name]
        catalog.add(name, values, column.unit, column.description)
