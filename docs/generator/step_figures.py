"""Pictures for the pages on how steps work, from the sample night."""

import contextlib
import io
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import obs
from obs.cli.main import main
from obs.errors import PolicyError
from obs.image.background import total_background
from obs.metrics import gates as gates_module
from obs.yaml_lines import load_yaml

__all__ = ["STEP_FIGURES", "draw_step_figures"]

_COMMANDS = (
    "process night/data --output steps --id visit=12 ccd=1 -c isr.write=true",
    "skymap make night/processed --discrete --border 0.001 --replace",
    "coadd night/processed",
    "difference night/processed --id visit=12",
)
_NIGHT = "night/processed"
_PSF, _APERTURE = "base_PsfFlux", "base_CircularApertureFlux_12_0"
_BLUE, _RED = "tab:blue", "tab:red"


def draw_step_figures(folder: Path, night: Path) -> None:
    """Draw the pictures, those aside that are newer than the night and this file.

    Parameters
    ----------
    folder : Path
        Folder for the pictures.
    night : Path
        Folder of the sample night; results that only these pictures need are added to it.

    Raises
    ------
    RuntimeError
        If a command fails.
    """
    folder.mkdir(exist_ok=True)
    newest = max((night / "made-by.txt").stat().st_mtime, Path(__file__).stat().st_mtime)
    places = {draw: folder / f"step-{name}.png" for name, draw in STEP_FIGURES.items()}
    old = {draw: path for draw, path in places.items() if not path.is_file() or path.stat().st_mtime < newest}
    if not old:
        return
    with contextlib.chdir(night):
        if not (night / "steps-made.txt").is_file():
            for command in _COMMANDS:
                _run(shlex.split(command))
            (night / "steps-made.txt").write_text("\n".join(_COMMANDS), encoding="utf-8")
        for draw, path in old.items():
            draw().savefig(path, dpi=110)


def _run(words: list[str]) -> None:
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        if main(words):
            raise RuntimeError(f"obs {shlex.join(words)}: {errors.getvalue()}")


def _get(dataset: str, output: str = _NIGHT) -> Any:  # noqa: ANN401 - its type is that of the dataset
    return obs.Butler(output).get(dataset, visit=12, ccd=1)


def _panels(images: Mapping[str, NDArray[Any]], *, limits: tuple[float, float] | None = None) -> Figure:
    """Return images side by side; with limits all have the same gray levels."""
    figure = Figure(figsize=(3.4 * len(images), 3.7), layout="constrained")
    for panel, (title, pixels) in zip(figure.subplots(1, len(images)), images.items(), strict=True):
        low, high = limits or tuple(np.nanpercentile(pixels, (1.0, 99.0)))
        panel.imshow(pixels, origin="lower", cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        panel.set(title=title, xticks=[], yticks=[])
    return figure


def _plot(x: str, y: str, width: float = 7.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return figure, axes


def _matched() -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """Return the columns of isolated stars that match the reference catalog, and their true magnitudes."""
    table = _get("srcMatchFull")
    good = (table["src_parent"] == 0) & (table["src_deblend_nChild"] == 0) & ~table[f"src_{_PSF}_flag"]
    good &= ~table["src_base_PixelFlags_flag_saturated"] & ~table["src_base_PixelFlags_flag_edge"]
    good &= table["src_base_ClassificationExtendedness_value"] < 0.5
    columns = {name: np.asarray(table[name])[good] for name in table.columns}
    return columns, 31.4 - 2.5 * np.log10(columns["ref_clear_flux"])


def _cells(pixels: NDArray[Any], size: int = 32) -> NDArray[np.float64]:
    """Return the medians of cells, which show the sky without its noise."""
    ny, nx = (length // size for length in pixels.shape)
    blocks = pixels[: ny * size, : nx * size].reshape(ny, size, nx, size)
    return np.asarray(np.median(blocks, axis=(1, 3)))


def _raw_and_calibrated() -> Figure:
    low, high = 0, 1024
    part = np.s_[low:high, low:high]
    calexp, sources = _get("calexp"), _get("src")
    raw = _get("raw", "night/data").masked_image.image[part]
    noise = float(np.sqrt(np.median(calexp.masked_image.variance)))
    level = float(np.median(raw))
    images = {"raw": raw - level, "calibrated, with sources": calexp.masked_image.image[part]}
    figure = _panels(images, limits=(-3.0 * noise, 10.0 * noise))
    figure.set_size_inches(9.0, 4.8)
    x, y = (sources[f"base_SdssCentroid_{axis}"][sources["detect_isPrimary"]] - low for axis in "xy")
    figure.axes[1].scatter(x, y, s=24, facecolors="none", edgecolors="tab:cyan", linewidths=0.9)
    figure.axes[1].set(xlim=(0, high - low - 1), ylim=(0, high - low - 1))
    return figure


def _isr() -> Figure:
    raw = _get("raw", "night/data").masked_image.image
    return _panels({"raw": raw, "postISRCCD": _get("postISRCCD", "steps").masked_image.image})


def _background() -> Figure:
    image, sky = _get("calexp").masked_image.image, total_background(_get("calexpBackground"))
    low, high = np.percentile(_cells(image + sky), (2.0, 98.0))
    middle, half = float(np.median(sky)), 0.6 * (high - low) + 1.0
    return _panels(
        {
            "image": _cells(image + sky) - middle,
            "background": _cells(sky) - middle,
            "difference": _cells(image),
        },
        limits=(-half, half),
    )


def _cosmic_rays() -> Figure:
    before, after = _get("postISRCCD", "steps").masked_image, _get("calexp").masked_image
    hit = after.mask.any("CR")
    blocks = hit.reshape(hit.shape[0] // 64, 64, hit.shape[1] // 64, 64).sum(axis=(1, 3))
    row, column = (64 * int(k) for k in np.unravel_index(blocks.argmax(), blocks.shape))
    part = np.s_[max(row - 32, 0) : row + 96, max(column - 32, 0) : column + 96]
    level = float(np.median(before.image))
    spread = 6.0 * float(np.sqrt(np.median(after.variance[part])))
    images = {"before": before.image[part] - level, "masked CR": hit[part] * 2.0 * spread, "after": after.image[part]}
    return _panels(images, limits=(-0.3 * spread, spread))


def _psf() -> Figure:
    figure = Figure(figsize=(10.0, 4.0), layout="constrained")
    image, sizes = figure.subplots(1, 2, width_ratios=(1.0, 1.6))
    stamp = _get("calexp").psf.evaluate(x=[512.0], y=[512.0])[0]
    shown = image.imshow(np.log10(np.maximum(stamp / stamp.max(), 1e-4)), origin="lower", cmap="gray")
    image.set(title="PSF", xticks=[], yticks=[])
    figure.colorbar(shown, ax=image, label="log10 of the pixel value over the maximum")
    table = _get("src")
    good = table["detect_isPrimary"] & ~table["base_SdssShape_flag"] & ~table[f"{_PSF}_flag"]
    size = 2.355 * np.sqrt(0.5 * (table["base_SdssShape_xx"] + table["base_SdssShape_yy"]))
    for rows, color, label in (
        (good, "0.7", "all sources"),
        (good & table["calib_psf_used"], _BLUE, "fitted"),
        (good & table["calib_psf_reserved"], _RED, "kept out of the fit"),
    ):
        sizes.plot(table[f"{_PSF}_mag"][rows], size[rows], ".", color=color, label=label)
    sizes.set(
        xlabel="PSF magnitude (AB)",
        ylabel="full width at half maximum (pixel)",
        ylim=np.median(size[good]) * np.array((0.5, 3.0)),
    )
    sizes.legend()
    sizes.grid(alpha=0.3)
    return figure


def _measurement() -> Figure:
    columns, truth = _matched()
    figure, axes = _plot("true magnitude (AB)", "measured minus true magnitude")
    order = np.argsort(truth)
    error = columns[f"src_{_PSF}_magErr"][order]
    axes.plot(truth[order], (columns[f"src_{_PSF}_mag"] - truth)[order], ".", color=_BLUE, label="stars")
    axes.plot(truth[order], error, color=_RED, lw=1, label="standard error")
    axes.plot(truth[order], -error, color=_RED, lw=1)
    axes.set_ylim(-0.3, 0.3)
    axes.legend(loc="lower left")
    return figure


def _aperture_correction() -> Figure:
    columns, truth = _matched()
    psf, aperture = (columns[f"src_{name}_instFlux"] for name in (_PSF, _APERTURE))
    bright = columns[f"src_{_PSF}_magErr"] < 0.02
    figure, axes = _plot("true magnitude (AB)", "PSF minus aperture magnitude")
    for factor, label, color in ((columns[f"src_{_PSF}_apCorr"], "before", "0.6"), (1.0, "after", _BLUE)):
        difference = -2.5 * np.log10(psf / factor / aperture)
        axes.plot(truth[bright], difference[bright], ".", color=color, label=label)
    axes.axhline(0.0, color="0.3", lw=1)
    axes.legend()
    return figure


def _astrometry() -> Figure:
    columns, _ = _matched()
    bright = columns[f"src_{_PSF}_magErr"] < 0.05
    ra, dec = ((columns[f"src_coord_{axis}"] - columns[f"ref_coord_{axis}"])[bright] * 3.6e6 for axis in ("ra", "dec"))
    x, y = (columns[f"src_base_SdssCentroid_{axis}"][bright] for axis in "xy")
    figure, axes = _plot("x (pixel)", "y (pixel)", width=5.2)
    arrows = axes.quiver(x, y, ra * np.cos(np.radians(columns["ref_coord_dec"][bright])), dec, color=_BLUE, width=0.004)
    axes.quiverkey(arrows, 0.85, 1.04, 100.0, "100 mas", labelpos="E")
    axes.set_aspect("equal")
    return figure


def _photometry() -> Figure:
    columns, truth = _matched()
    used = columns["src_calib_photometry_used"].astype(bool)
    figure, axes = _plot("reference magnitude (AB)", "measured minus reference magnitude")
    for rows, color, label in ((~used, "0.7", "not used"), (used, _BLUE, "zero point fitted to these")):
        axes.plot(truth[rows], (columns[f"src_{_PSF}_mag"] - truth)[rows], ".", color=color, label=label)
    axes.axhline(0.0, color="0.3", lw=1)
    axes.set_ylim(-0.3, 0.3)
    axes.legend(loc="lower left")
    return figure


def _calibration_frames() -> Figure:
    return _panels({name: _get(name, "night/data").masked_image.image for name in ("bias", "dark", "flat")})


def _repeated_magnitudes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return magnitudes and their errors, shape (visits, stars), of the stars that all exposures have."""
    butler = obs.Butler(_NIGHT)
    tables = [ref.get() for ref in butler.subset("src") if ref.exists()]
    first, columns = tables[0], []
    stretch = np.cos(np.radians(np.median(first["coord_dec"])))
    for table in tables:
        good = table["detect_isPrimary"] & ~table[f"{_PSF}_flag"] & ~table["base_PixelFlags_flag_saturated"]
        offset = np.hypot(
            (table["coord_ra"][good] - first["coord_ra"][:, None]) * stretch,
            table["coord_dec"][good] - first["coord_dec"][:, None],
        )
        rows, near = offset.argmin(axis=1), offset.min(axis=1) < 1.0 / 3600.0
        columns.append([np.where(near, table[f"{_PSF}_{name}"][good][rows], np.nan) for name in ("mag", "magErr")])
    found = np.asarray(columns, np.float64)
    everywhere = np.isfinite(found).all(axis=(0, 1))
    return found[:, 0, everywhere], found[:, 1, everywhere]


def _relative_calibration() -> Figure:
    magnitude, error = _repeated_magnitudes()
    figure, axes = _plot("mean magnitude (AB)", "scatter over eight exposures (mag)")
    mean, expected = magnitude.mean(axis=0), np.sqrt(np.mean(error**2, axis=0))
    axes.semilogy(mean, magnitude.std(axis=0, ddof=1), ".", color=_BLUE, label="stars")
    order = np.argsort(mean)
    axes.semilogy(mean[order], expected[order], color=_RED, lw=1, label="standard error")
    axes.legend()
    return figure


def _patch_part() -> tuple[Any, Any, Any, tuple[float, float]]:
    """Return the exposure, the coadd and the table of changes, and the place of the brightest change."""
    coadd = obs.Butler(_NIGHT).get("deepCoadd", tract=0, patch="0,0", filter="Clear")
    changes = _get("deepDiff_diaSrc")
    flux = np.where(changes["base_PixelFlags_flag_suspect"], 0.0, np.abs(changes[f"{_PSF}_instFlux"]))
    row = int(np.nanargmax(flux))
    return _get("calexp"), coadd, changes, (float(changes["coord_ra"][row]), float(changes["coord_dec"][row]))


def _coadds() -> Figure:
    calexp, coadd, _, place = _patch_part()
    parts = [_scaled(exposure, exposure.cutout(*place, 120.0)) for exposure in (calexp, coadd)]
    spread = float(np.std(parts[0][np.abs(parts[0]) < 3.0 * np.median(np.abs(parts[0])) + 1e-9]))
    return _panels({"one exposure": parts[0], "coadd of eight": parts[1]}, limits=(-2.0 * spread, 8.0 * spread))


def _differences() -> Figure:
    calexp, coadd, _, place = _patch_part()
    difference = _get("deepDiff_differenceExp")
    parts = {
        "exposure": _scaled(calexp, calexp.cutout(*place, 60.0)),
        "coadd": _scaled(coadd, coadd.cutout(*place, 60.0)),
        "difference": _scaled(calexp, difference.cutout(*place, 60.0)),
    }
    noise = float(np.median(np.abs(parts["difference"]))) * 1.5
    return _panels(parts, limits=(-4.0 * noise, 12.0 * noise))


def _scaled(whole: obs.Exposure, part: obs.Exposure) -> NDArray[np.float64]:
    """Return pixels in nJy, so that images of different zero points compare."""
    if whole.photo_calib is None:
        raise LookupError("the exposure has no zero point")
    zero_point = whole.photo_calib.magnitude(1.0)
    return np.asarray(part.masked_image.image * 10 ** (0.4 * (31.4 - zero_point)), np.float64)


def _metrics() -> Figure:
    rows = obs.Butler(_NIGHT).query_metrics("seeing > 0")
    figure = Figure(figsize=(7.0, 4.6), layout="constrained")
    seeing, zero_point = (np.asarray(rows.column(name), np.float64) for name in ("seeing", "zero_point"))
    gates, _ = load_yaml(Path(gates_module.__file__).with_name("gates.yaml"), error=PolicyError)
    limits = {name: float(gates["gates"][name]["look"]) for name in ("seeing", "transparency")}
    above, below = figure.subplots(2, 1, sharex=True)
    above.axhline(limits["seeing"] * np.median(seeing), color=_RED, lw=1, label="look")
    below.axhline(np.median(zero_point) + 2.5 * np.log10(limits["transparency"]), color=_RED, lw=1, label="look")
    for axes, values, label in ((above, seeing, "seeing (arcsec)"), (below, zero_point, "zero point (mag)")):
        axes.plot(rows.column("visit"), values, "o-", color=_BLUE)
        axes.set(ylabel=label)
        axes.legend(loc="center left")
        axes.grid(alpha=0.3)
    below.set(xlabel="visit")
    return figure


#: Name of each picture, without "step-": what draws it.
STEP_FIGURES: dict[str, Callable[[], Figure]] = {
    "raw-and-calibrated": _raw_and_calibrated,
    "isr": _isr,
    "background": _background,
    "cosmic-rays": _cosmic_rays,
    "psf": _psf,
    "measurement": _measurement,
    "aperture-correction": _aperture_correction,
    "astrometry": _astrometry,
    "photometry": _photometry,
    "calibration-frames": _calibration_frames,
    "relative-calibration": _relative_calibration,
    "coadds": _coadds,
    "differences": _differences,
    "metrics": _metrics,
}
