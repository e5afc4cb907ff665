"""Detect sources on an exposure, set the mask planes that tell where, and look at the background again."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.smoothing import Smoothed, gaussian_kernel, smooth
from obs.algorithms.sky.background import fit_background
from obs.algorithms.sky.few_photons import count_photons, has_few_photons, predict_photon_noise
from obs.algorithms.sky.noise import measure_smoothed_noise, predict_smoothed_noise
from obs.algorithms.sources.detection import Footprints, Peaks, above_threshold, find_footprints
from obs.algorithms.sources.measured_peaks import survives_without_filled_pixels
from obs.algorithms.sources.shoulders import add_shoulders
from obs.config.base import TaskConfig, setting
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.background import Background
from obs.image.masked_image import MaskedImage
from obs.tasks.background import BackgroundConfig, bad_pixels, subtract_background
from obs.threads import map_threads

__all__ = ["Detected", "DetectionConfig", "detect_sources"]

STREAK_MARGIN = 1.5
"""Height above the threshold that peaks on the trail of a satellite need: its light is not subtracted perfectly."""

NOISE_ROUNDS, SAME_NOISE = 8, 0.7
"""In a crowd the light of stars is most of the scatter at first. The noise beside sources is then measured again, with
sources above that noise, until a round finds no less than this part of it."""

FEWEST_BESIDE = 100
"""Fewer pixels do not show the noise."""


class DetectionConfig(TaskConfig):
    """Settings of how sources are detected."""

    threshold: float = setting(
        5.0,
        "Detection threshold, in units of the noise of the smoothed image. Lower values find more sources and "
        "more noise.",
        unit="sigma",
        gt=0,
    )
    include_threshold_factor: float = setting(
        1.0,
        "Sources whose peak is below this many times the threshold are dropped, after footprints were made at "
        "the threshold.",
        unit="",
        ge=1,
    )
    grow: float = setting(2.4, "Distance by which footprints are grown, in units of the sigma of the PSF.", ge=0, le=20)
    minimum_pixels: int = setting(
        1,
        "Minimum number of pixels above the threshold. Smaller regions are dropped. Raise it if single hot "
        "pixels are found.",
        unit="pixel",
        ge=1,
    )
    kernel_size: float = setting(
        7.0,
        "Full size of the smoothing kernel, in units of the sigma of the PSF. Larger kernels follow wings further, "
        "and take longer.",
        gt=1,
        le=20,
    )
    to_border: bool = setting(
        True,
        "Detect out to the border of the image, where the kernel sees only part of a source; else only where it sees "
        "all, as the LSST stack does.",
    )
    prominence: float = setting(
        2.5,
        "Peaks less than this above the saddle to a higher one are dropped as noise in the wings of bright "
        "sources; 0 keeps all.",
        unit="sigma",
        ge=0,
    )
    shoulders: float = setting(
        0.0,
        "Width, as a fraction of that of the PSF, with which the image is smoothed to find sources that are only "
        "shoulders of brighter ones; 0 switches it off. Set 0.5 for crowded fields of stars. Galaxies may break up.",
        ge=0,
        lt=1,
    )
    shoulder_prominence: float = setting(
        3.0,
        "Height of shoulders above the saddle to a higher peak. Lower values find more of them and more noise.",
        unit="sigma",
        gt=0,
    )
    local_background_size: int = setting(
        0,
        "Cell of a temporary small-scale background under which noise peaks in the wings of bright sources vanish, as "
        "in the LSST stack; 0 switches it off.",
        unit="pixel",
        ge=0,
    )
    filled_planes: list[str] = setting(
        ["BAD", "CR"],
        "Mask planes whose pixels were filled in: sources must be significant without them.",
    )
    reestimate_background: bool = setting(True, "Fit the background again when the sources are known.")
    noise: Literal["pixels", "smoothed", "everywhere"] = setting(
        "pixels",
        "Where the noise comes from: the pixels beside the sources, carried through the kernel; the smoothed image "
        "beside the sources, for images whose neighboring pixels share noise, as resampled ones do; or the smoothed "
        "image everywhere, as in the LSST stack. Faint and bright sources raise the threshold in the latter two.",
    )
    noise_bad_planes: list[str] = setting(
        ["BAD", "SAT", "EDGE", "NO_DATA", "UNMASKEDNAN"],
        "Mask planes whose pixels do not count when the noise of the image is measured.",
    )


@frozen
class Detected:
    """Footprints, and the background found beside them if asked for.

    Parameters
    ----------
    footprints : Footprints
        The footprints.
    background : Background or None
        Background beside them, if it was asked for.
    """

    footprints: Footprints
    background: Background | None


def detect_sources(
    masked_image: MaskedImage,
    sigma: float,
    config: DetectionConfig,
    background: BackgroundConfig,
    *,
    smoothed: Smoothed | None = None,
) -> Detected:
    """Find footprints and peaks of sources.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels; the planes EDGE, DETECTED and DETECTED_NEGATIVE are set anew, and the background
        is subtracted again if the settings say so.
    sigma : float
        Size of the PSF, pixels.
    config : DetectionConfig
        Settings.
    background : BackgroundConfig
        Settings of the second look at the background.
    smoothed : Smoothed, optional
        Image on which to detect; without it the image smoothed with the PSF.

    Returns
    -------
    Detected

    Raises
    ------
    MeasurementError
        If the noise is not known: all pixels are bad, or all alike, or too few for the smoothing kernel.
    """
    masked_image.mask.clear("DETECTED", "DETECTED_NEGATIVE")
    footprints = _find_and_mask(masked_image, sigma, config, smoothed)
    again = subtract_background(masked_image, background) if config.reestimate_background else None
    return Detected(footprints, again)


def _find_and_mask(
    masked_image: MaskedImage, sigma: float, config: DetectionConfig, smoothed: Smoothed | None
) -> Footprints:
    """Find footprints, and set the planes of the mask; the planes that it works on are gone afterwards."""
    mask = masked_image.mask
    bad = bad_pixels(masked_image, config.noise_bad_planes)
    image = _without_gaps(masked_image.image, bad)
    if smoothed is None:
        smoothed = smooth(image, sigma, config.kernel_size, to_border=config.to_border)
    kernel_margin = _kernel_margin(sigma, config)
    if min(mask.shape) <= 2 * kernel_margin:
        raise MeasurementError(
            f"an image of {mask.shape[1]} x {mask.shape[0]} pixels is smaller than the smoothing kernel of "
            f"{2 * kernel_margin + 1} pixels: there is nothing to detect on"
        )
    noise = _noise(image, smoothed, bad, sigma, config)
    if not noise > 0:
        raise MeasurementError(
            f"no noise to measure sources against: {np.count_nonzero(~bad)} of {bad.size} pixels are good; look at the "
            "mask planes and the image"
        )
    threshold = config.threshold * noise
    n_grow = int(config.grow * sigma + 0.5)
    above_local, local_threshold = _above_local_background(masked_image, smoothed, bad, sigma, config)
    factor = config.include_threshold_factor
    held = [above_local]
    del above_local  # a plane that only the search looks at

    def find(smoothed: Smoothed) -> Footprints:
        return find_footprints(
            smoothed,
            threshold=threshold,
            minimum_height=factor * threshold,
            n_grow=n_grow,
            minimum_pixels=config.minimum_pixels,
            above_local=held.pop(),
            local_threshold=local_threshold,
            prominence=config.prominence * noise,
            variance=masked_image.variance,
        )

    def lit(smoothed: Smoothed, sign: int) -> NDArray[np.bool_]:
        # the mask knows all sources, also those too faint to be kept: their light is not sky
        return grow(above_threshold(smoothed, sign * threshold), n_grow)

    jobs: list[Callable[[], Any]] = [partial(find, smoothed), partial(lit, smoothed, 1), partial(lit, smoothed, -1)]
    found, detected, negative = map_threads(lambda job: job(), jobs)
    footprints: Footprints = found
    del jobs
    if config.shoulders:
        narrow = config.shoulders * sigma
        sharp = smooth(image, narrow, config.kernel_size, to_border=config.to_border)
        minimum = config.shoulder_prominence * _noise(image, sharp, bad, narrow, config)
        footprints = add_shoulders(footprints, smoothed, sharp, sigma, minimum, masked_image.variance)
    del smoothed
    filled = bad_pixels(masked_image, config.filled_planes)
    real = survives_without_filled_pixels(
        image, filled, footprints.peaks, sigma=sigma, n_sigma=config.kernel_size, threshold=threshold
    )
    footprints = footprints.keep(real & _above_streaks(masked_image, footprints.peaks, bad, threshold))
    last_rows, last_columns = (max(size - kernel_margin, 0) for size in mask.shape)
    for border in np.s_[:kernel_margin], np.s_[last_rows:], np.s_[:, :kernel_margin], np.s_[:, last_columns:]:
        mask.array[border] |= np.int32(mask.bits("EDGE"))
    mask.set(detected, "DETECTED")
    mask.set(negative, "DETECTED_NEGATIVE")
    return footprints


def _above_streaks(
    masked_image: MaskedImage, peaks: Peaks, bad: NDArray[np.bool_], threshold: float
) -> NDArray[np.bool_]:
    """Whether peaks on trails of satellites, shape (n,), stand above what noise and unevenness of the trail make."""
    on = bad_pixels(masked_image, ["STREAK"])
    result = np.ones(len(peaks), bool)
    if not on.any():
        return result
    step = max(1, on.size // 100_000)
    sky = np.median(masked_image.variance.ravel()[::step][~(bad | on).ravel()[::step]])
    noise = np.sqrt(np.maximum(masked_image.variance[peaks.y, peaks.x] / sky, 1.0))
    there = on[peaks.y, peaks.x]
    result[there] = peaks.value[there] > STREAK_MARGIN * threshold * noise[there]
    return result


def _noise(
    image: NDArray[np.float32],
    smoothed: Smoothed,
    bad: NDArray[np.bool_],
    sigma: float,
    config: DetectionConfig,
) -> float:
    """Noise of the smoothed image; NaN or 0 where it is not known."""
    margin = _kernel_margin(sigma, config)
    everywhere = measure_smoothed_noise(Smoothed(smoothed.image, margin), bad)
    if (dark := count_photons(image)) is not None:
        everywhere = max(everywhere, predict_photon_noise(dark, sigma, config.kernel_size, config.threshold))
    if config.noise == "everywhere" or not everywhere > 0:
        return everywhere
    noise = everywhere
    for _ in range(NOISE_ROUNDS):
        beside = bad | _sources_of(smoothed, noise, sigma, config)
        # where sources cover everything there is nothing beside them
        if np.count_nonzero(~beside) < FEWEST_BESIDE:
            return noise
        if config.noise == "pixels":
            found = predict_smoothed_noise(image, beside, sigma, config.kernel_size, config.threshold)
        else:
            found = measure_smoothed_noise(smoothed, beside)
            if has_few_photons(image, beside):  # clipping has cut off a part of the skewed noise
                found = max(found, predict_smoothed_noise(image, beside, sigma, config.kernel_size, config.threshold))
        if not np.isfinite(found) or found >= SAME_NOISE * noise:
            break
        noise = found
    return found if np.isfinite(found) else noise


def _sources_of(smoothed: Smoothed, noise: float, sigma: float, config: DetectionConfig) -> NDArray[np.bool_]:
    """Pixels that a first threshold takes for sources, or that lie in reach of them."""
    return grow(np.abs(smoothed.image) > config.threshold * noise, _kernel_margin(sigma, config))


def _kernel_margin(sigma: float, config: DetectionConfig) -> int:
    """Pixels along the border from which the kernel leaves the frame."""
    return len(gaussian_kernel(sigma, config.kernel_size)) // 2


def _without_gaps(image: NDArray[np.float32], bad: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels with zero, the sky, for those that are not finite, which become bad; no copy where all are."""
    finite = np.isfinite(image)
    if finite.all():
        return image
    bad |= ~finite
    return np.where(finite, image, np.float32(0.0))


def _above_local_background(
    masked_image: MaskedImage, smoothed: Smoothed, bad: NDArray[np.bool_], sigma: float, config: DetectionConfig
) -> tuple[NDArray[np.float32] | None, float | None]:
    if not config.local_background_size:
        return None, None
    fit = fit_background(masked_image.image, bad, bin_size=config.local_background_size, style="akima")
    if not np.isfinite(fit.level).any():
        return None, None
    local = fit.image()
    flat = Smoothed(np.subtract(smoothed.image, local, out=local), smoothed.margin)
    noise = measure_smoothed_noise(flat, bad)
    if config.noise != "everywhere":
        beside = measure_smoothed_noise(flat, bad | _sources_of(flat, noise, sigma, config))
        noise = beside if beside > 0 else noise
    return flat.image, config.threshold * noise
