"""The picture of a coadd beside one of its exposures, with the truth of both."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.policy.data_id import format_data_id
from obs.qa.coadd_report import VariableStar
from obs.qa.figures import show_magnitudes
from obs.qa.report import FrameReport
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LightCurveTruth", "draw_coadd_report"]

Image = NDArray[np.float32]

_SIZE = 12.0, 10.0  # inches
_SIDE = 250  # pixels of the coadd that are shown
_COVERED = 0.5  # share of them that the exposure beside it must have
_GRAY_RANGE = -2.0, 8.0  # in units of the noise of the single exposure
_CURVE_POINTS = 400


@frozen
class LightCurveTruth:
    """A light curve as measured, and the star as it is.

    Parameters
    ----------
    curve : Catalog
        Measured light curve.
    star : VariableStar
        The star, with its true magnitudes.
    """

    curve: Catalog
    star: VariableStar


def draw_coadd_report(
    butler: Butler,
    singles: Sequence[FrameReport],
    coadds: Sequence[FrameReport],
    light_curve: LightCurveTruth | None,
    path: Path,
) -> None:
    """Draw a coadd beside its worst exposure, errors of magnitudes of both, and a light curve into a PNG file.

    Parameters
    ----------
    butler : Butler
        Repository with the images.
    singles, coadds : sequence of FrameReport
        Exposures and coadds beside their truth.
    light_curve : LightCurveTruth or None
        A variable star.
    path : Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    # Not pyplot, which would look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import, and only for this
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    for place, (image, title) in zip(axes[0], _same_field(butler, singles, coadds), strict=True):
        place.imshow(image, origin="lower", cmap="gray", interpolation="nearest", vmin=0.0, vmax=1.0)
        place.set(title=title, xlabel="x / pixel of the coadd", ylabel="y / pixel")
    show_magnitudes(axes[1, 0], {"single exposures": singles, "coadds": coadds})
    if light_curve is None:
        axes[1, 1].set_axis_off()
    else:
        _show_curve(axes[1, 1], light_curve)
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=100, metadata={"Software": "obs"})


def _same_field(
    butler: Butler, singles: Sequence[FrameReport], coadds: Sequence[FrameReport]
) -> tuple[tuple[Image, str], tuple[Image, str]]:
    """Return the same part of the sky of the worst exposure and of the coadd, as gray levels on the coadd's pixels."""
    coadd_id = dict(max(coadds, key=lambda one: len(one.comparison.magnitude)).data_id)
    deep: Exposure = butler.get("deepCoadd_calexp", coadd_id)
    low, left = _busy_corner(butler.get("deepCoadd_meas", coadd_id), deep.shape)
    part = deep.masked_image.image[low : low + _SIDE, left : left + _SIDE]
    rows, columns = np.indices(part.shape)
    to_sky = butler.get("deepCoadd_calexp_wcs", coadd_id)
    ra, dec = to_sky.pixel_to_sky(x=columns.ravel() + float(left), y=rows.ravel() + float(low))
    image, single_id = np.zeros(part.size, np.float32), {}
    for report in sorted(singles, key=lambda one: -one.seeing):
        single_id = dict(report.data_id)
        single: Exposure = butler.get("calexp", single_id)
        x, y = butler.get("calexp_wcs", single_id).sky_to_pixel(ra=ra, dec=dec)
        inside = (x > -0.5) & (x < single.shape[1] - 0.5) & (y > -0.5) & (y < single.shape[0] - 0.5)
        if np.mean(inside) > _COVERED:
            nearest = np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)
            scale = 10.0 ** (0.4 * (_zero_point(deep) - _zero_point(single)))
            image[inside] = single.masked_image.image[nearest] * np.float32(scale)
            break
    noise = max(1.4826 * float(np.median(np.abs(image - np.median(image)))), 1e-6)
    shown = [_gray(one, noise) for one in (image.reshape(part.shape), part)]
    return (shown[0], format_data_id(single_id)), (shown[1], f"coadd {format_data_id(coadd_id)}")


def _zero_point(exposure: Exposure) -> float:
    return 27.0 if exposure.photo_calib is None else float(exposure.photo_calib.zero_point)


def _gray(image: Image, noise: float) -> Image:
    low, high = _GRAY_RANGE
    return np.asarray(np.clip((image / np.float32(noise) - low) / (high - low), 0, 1), np.float32)


def _busy_corner(objects: Catalog, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the first row and column of the square of a coadd with the most objects."""
    x, y = (objects[f"base_SdssCentroid_{axis}"][objects["detect_isPrimary"]] for axis in "xy")
    n_row, n_column = (max(1, size // _SIDE) for size in shape)
    edges = [np.arange(n + 1) * float(_SIDE) for n in (n_row, n_column)]
    counts, _, _ = np.histogram2d(y, x, bins=edges)
    row, column = np.unravel_index(np.argmax(counts), counts.shape)
    return int(row) * _SIDE, int(column) * _SIDE


def _show_curve(axes: "Axes", light_curve: LightCurveTruth) -> None:
    curve, star = light_curve.curve, light_curve.star
    time, true = np.asarray(curve["mjd_mid"], np.float64), star.true_magnitudes(curve)
    start = float(np.floor(time.min()))
    minutes = 1440.0 * (time - start)
    angle = 2.0 * np.pi * time / star.period
    known = np.isfinite(true)
    if np.count_nonzero(known) > 1:  # a sine of known period and mean, through the true magnitudes
        terms = np.stack([np.sin(angle), np.cos(angle)], axis=1)
        wave = np.linalg.lstsq(terms[known], true[known] - star.mean, rcond=None)[0]
        when = np.linspace(time.min() - 0.3 * np.ptp(time), time.max() + 0.3 * np.ptp(time), _CURVE_POINTS)
        angle = 2.0 * np.pi * when / star.period
        wave_at = star.mean + wave[0] * np.sin(angle) + wave[1] * np.cos(angle)
        axes.plot(1440.0 * (when - start), wave_at, color="gray", linewidth=1, label="true")
    axes.errorbar(minutes, curve["magnitude"], curve["magnitude_error"], fmt="o", markersize=4, label="measured")
    axes.invert_yaxis()
    axes.set(xlabel=f"minutes after MJD {start:.0f}", ylabel="AB magnitude")
    axes.set(title=f"variable star at {star.ra:.5f}, {star.dec:.5f}")
    axes.legend(fontsize="small")
