"""The difference of one image and the coadd of its part of the sky, read and written."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from obs.coadds.frames import Frame, describe_missing
from obs.coadds.template import make_template
from obs.errors import DatasetNotFoundError, MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.repo.butler import Butler
from obs.tasks.difference.config import DifferenceConfig
from obs.tasks.difference.detect import detect_changes
from obs.tasks.difference.subtract import Difference, subtract_template
from obs.visits.calibration import best_calibration

__all__ = ["DifferenceSummary", "difference_image", "image_filter"]

_LOG = logging.getLogger(__name__)
_LARGE_MISFIT, _LARGE_RATIO, _LARGE_SHARE = 0.03, 0.05, 0.02


@frozen
class DifferenceSummary:
    """What a difference image shows.

    Parameters
    ----------
    n_positive, n_negative : int
        Sources of both signs that can be judged.
    n_dipole : int
        How many of them are halves of dipoles.
    n_suspect : int
        Sources about which the difference says nothing: at saturated stars, and where the coadd has no data.
    n_star : int
        Stars that the kernel comes from; 0 if from the PSF models.
    flux_ratio : float
        Flux of stars on the image over that on the coadd.
    noise_ratio : float
        Scatter of the difference beside sources over what the variance predicts.
    convolved : str
        What was convolved: ``coadd`` or ``image``.
    calibration : str
        The calibration of the image that was used.
    """

    n_positive: int
    n_negative: int
    n_dipole: int
    n_suspect: int
    n_star: int
    flux_ratio: float
    noise_ratio: float
    convolved: str
    calibration: str


def image_filter(butler: Butler, data_id: Mapping[str, Any]) -> str:
    """Return the filter of an image, whose coadds it is compared with.

    Parameters
    ----------
    butler : Butler
        Butler of the repository.
    data_id : mapping
        Data ID of a calexp, with or without the key "filter".
    """
    return str(data_id["filter"] if "filter" in data_id else butler.get("calexp_filter", data_id))


def difference_image(
    butler: Butler, data_id: Mapping[str, Any], config: DifferenceConfig, *, tract: int | None = None
) -> DifferenceSummary:
    """Subtract the coadd from one image, and write ``deepDiff_differenceExp`` and ``deepDiff_diaSrc``.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    data_id : mapping
        The image.
    config : DifferenceConfig
        Settings.
    tract : int, optional
        Tract of the coadd and of the common calibration.

    Raises
    ------
    MeasurementError
        If the image has no WCS, zero point or PSF, or no coadd of its filter reaches it.
    DatasetNotFoundError
        If there is no such image, or the repository has no sky map.
    """
    exposure: Exposure = butler.get("calexp", data_id)
    calibration = best_calibration(
        butler, data_id, tract=tract, exposure=exposure, use_common=config.use_common_calibration
    )
    exposure = calibration.apply(exposure)
    wcs, calib, psf = exposure.wcs, exposure.photo_calib, exposure.psf
    if wcs is None or calib is None or psf is None:
        raise MeasurementError(f"its calexp has {describe_missing(exposure)}")
    frame = Frame(dict(data_id), wcs, exposure.shape)
    template = make_template(
        butler,
        frame,
        image_filter(butler, data_id),
        calib.flux_mag0,
        tract=tract,
        maximum_own_share=config.maximum_own_share,
    )
    try:
        stars: Catalog | None = butler.get("src", data_id)
    except DatasetNotFoundError:
        stars = None
    exact_psf = (template.exact_psf.stamps, template.coadd_scale)
    difference = subtract_template(exposure, psf, template.pixels, template.psf, stars, config, exact_psf)
    result = difference.exposure
    catalog = detect_changes(
        difference,
        result.psf if result.psf is not None else psf,
        config,
        exposure_id=int(butler.get("ccdExposureId", data_id)),
        exposure_id_bits=butler.instrument.exposure_id_bits,
    )
    _warn(difference)
    if template.own_share > _LARGE_SHARE:
        _LOG.warning(
            "the image itself is %.0f %% of the coadd: changes lose that share, and columns that the coadd "
            "has from other images alone show more noise than the rest; -c maximum_own_share=%.2f leaves it out",
            100 * template.own_share,
            _LARGE_SHARE,
        )
    convolved = "coadd" if difference.convolved_template else "image"
    noise_ratio = _noise_ratio(result)
    facts = {
        "CONVOLVE": convolved,
        "NSTAR": difference.n_star,
        "MISFIT": round(difference.misfit, 4),
        "SHIFTX": round(difference.shifts[0], 4),
        "SHIFTY": round(difference.shifts[1], 4),
        "FLUXRAT": round(difference.flux_ratio, 5),
        "NOISERAT": round(noise_ratio, 4),
    }
    result.metadata.update(facts)
    catalog.metadata |= {**facts, "CALIB": str(calibration)}
    butler.put(catalog, "deepDiff_diaSrc", data_id)
    butler.put(result, "deepDiff_differenceExp", data_id)
    suspect = catalog["base_PixelFlags_flag_suspect"]
    negative, dipole = catalog["flags_negative"], catalog["ip_diffim_ClassificationDipole_value"]
    return DifferenceSummary(
        int(np.count_nonzero(~negative & ~suspect)),
        int(np.count_nonzero(negative & ~suspect)),
        int(np.count_nonzero(dipole & ~suspect)),
        int(np.count_nonzero(suspect)),
        difference.n_star,
        difference.flux_ratio,
        noise_ratio,
        convolved,
        str(calibration),
    )


def _warn(difference: Difference) -> None:
    """Name what makes a difference worse than its noise."""
    if not difference.n_star:
        _LOG.warning(
            "the kernel comes from PSF models, because there are fewer stars than match.minimum_stars: an offset "
            "between the positions of image and coadd leaves dipoles"
        )
    if difference.misfit > _LARGE_MISFIT:
        _LOG.warning(
            "the kernel misses %.1f %% of the light of bright stars, so that only changes beyond five times that are "
            "found in them; where positions disagree, run obs calibrate-visits, and obs coadd after it",
            100 * difference.misfit,
        )
    if abs(difference.flux_ratio - 1) > _LARGE_RATIO:
        _LOG.warning(
            "stars have %.3f times the flux of those on the coadd: the zero points disagree; obs calibrate-visits "
            "brings them together",
            difference.flux_ratio,
        )


def _noise_ratio(exposure: Exposure) -> float:
    """Return the scatter of the pixels beside sources over what the variance plane says; NaN where there are none."""
    pixels = exposure.masked_image
    quiet = ~(pixels.mask.unusable() | pixels.mask.any_known(["DETECTED", "DETECTED_NEGATIVE"])) & (pixels.variance > 0)
    ratio = pixels.image[quiet] / np.sqrt(pixels.variance[quiet])
    if not ratio.size:
        return float("nan")
    low, high = np.percentile(ratio, [15.865, 84.135])
    return float(high - low) / 2
