"""One FITS image that is in no repository: characterize and calibrate it where it is."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError, OutputError
from obs.executor.outcome import Unfinished
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.instrument.image_types import IMAGE_TYPE_CARDS, standard_type
from obs.instrument.image_unit import parse_image_unit
from obs.instrument.noise_cards import GAIN_CARDS, READ_NOISE_CARDS, SATURATION_CARDS
from obs.memory import return_freed_memory
from obs.process_summary import ProcessSummary
from obs.repo.formatters import write_dataset
from obs.repo.hdu_roles import HduChoice
from obs.repo.image_file import read_image_file
from obs.repo.reference_catalog import load_reference_catalog
from obs.stages import Stages
from obs.tasks.plain_variance import make_variance
from obs.tasks.process_config import ProcessFileConfig
from obs.tasks.unusable_pixels import (
    fill_narrow_gaps,
    mask_constant_pixels,
    mask_flat_tops,
    mask_wrapped_counts,
    refuse_flags,
    restore_negative_counts,
    warn_of_lost_values,
)

__all__ = ["SCHEMA_FOLDER", "begin_file", "process_file"]

logger = logging.getLogger(__name__)

ID_BITS = 32

LARGE = 1 << 26
"""Pixels of an image above which memory counts more than the time that clearing it takes."""

#: Folder of an output with the columns of its catalogs.
SCHEMA_FOLDER = "schema"
_COUNTS = ("adu", "ct")
_NO_SKY = ("bias", "dark", "flat", "arc")
"""Types of frames without stars."""
_NO_STARS = ("gaussian", "assumed")
"""Origins of a PSF that no star has shown."""
_WITH_SCHEMA = ("icSrc", "src")


def process_file(path: Path, output: Path, config: ProcessFileConfig, *, may_wait: bool = False) -> ProcessSummary:
    """Find and measure the sources of an image.

    Parameters
    ----------
    path : Path
        FITS file.
    output : Path
        Folder that gets ``NAME.fits`` (the calibrated image), ``NAME/src.fits`` and so on, and the columns of the
        catalogs without rows in ``schema``.
    config : ProcessFileConfig
        Settings.
    may_wait : bool, optional
        Raise `obs.repo.good_psfs.PsfAwaitedError` where the PSF of another image is needed.

    Returns
    -------
    ProcessSummary

    Raises
    ------
    ObsError
        If the file cannot be read or measured, or the output not be written.
    """
    return begin_file(path, output, config, may_wait=may_wait).finish()


def begin_file(
    path: Path, output: Path, config: ProcessFileConfig, *, may_wait: bool = False
) -> Unfinished[ProcessSummary]:
    """Do what `process_file` does, but leave it to the caller when calibrated image and catalog are written.

    Parameters
    ----------
    path : Path
        As there.
    output : Path
        As there.
    config : ProcessFileConfig
        As there.
    may_wait : bool, optional
        As there.

    Raises
    ------
    ObsError
        As there; `obs.executor.outcome.Unfinished.finish` raises it, too.
    """
    name = path.name
    for ending in (".gz", ".fz", ".fits", ".fit", ".fts"):
        name = name.removesuffix(ending)
    calibrated = output / f"{name}.fits"
    if path.resolve() == calibrated.resolve():
        raise OutputError(f"the result would replace the image {path} itself; choose another output folder", path=path)
    summary = ProcessSummary()

    def put(value: object, dataset_type: str) -> None:
        places = {"calexp": calibrated, "sourceTable": output / name / "src.parq"}
        if isinstance(value, Catalog):
            value = _in_unit(value, str(exposure.metadata.get("BUNIT", "adu")))
        write_dataset("", value, places.get(dataset_type, output / name / f"{dataset_type}.fits"))
        if isinstance(value, Catalog) and dataset_type in _WITH_SCHEMA:
            write_dataset("", value.select(slice(0)), output / SCHEMA_FOLDER / f"{dataset_type}.fits")

    numbers = {"exposure_id": 0, "exposure_id_bits": ID_BITS}
    stages = Stages(put, summary, **numbers, name=path.name, good_psfs=[output], may_wait=may_wait)
    with stages.timed("read"):
        choice = HduChoice(config.hdu, config.mask_hdu, config.uncertainty_hdu, config.plane)
        # a WCS that a fit to reference stars replaces may be less exact
        tolerance = config.wcs_tolerance if config.reference_folder is None else np.inf
        file = read_image_file(path, choice, bad_bits=config.bad_bits, wcs_tolerance=tolerance)
        exposure = file.exposure
        if exposure.masked_image.image.size > LARGE:
            return_freed_memory()
        source, warnings = _complete(exposure, config, path)
        summary.notes.extend(filter(None, (*file.read, source)))
        summary.warnings.extend(file.warnings + warnings)
        if file.weight is not None:
            exposure.masked_image = _weighted(exposure.masked_image, file.weight)
        fill_narrow_gaps(exposure.masked_image)

    def load_reference(ra: float, dec: float, radius: float) -> Catalog | None:
        if config.reference_folder is None:
            return None
        return load_reference_catalog(Path(config.reference_folder), ra=ra, dec=dec, radius=radius)

    found = stages.characterize(exposure, config.characterize)
    band = exposure.physical_filter
    done = None
    if config.do_calibrate:
        done = stages.calibrate(found, config.calibrate, band=band, load_reference=load_reference)
    if why := _not_of_the_sky(exposure.metadata, summary, has_catalog=config.do_calibrate):
        for warning in summary.warnings:
            logger.debug("%s: %s", path.name, warning)
        summary.warnings[:] = [why]  # it is the cause of all others

    def write() -> ProcessSummary:
        if done is not None:
            stages.write(done, config.calibrate, band)
        write_dataset("YamlStorage", summary.to_metadata(), output / name / "metadata.yaml")
        return summary

    pixels = exposure.masked_image
    planes = (pixels.image, pixels.mask.array, pixels.variance) if done is not None else ()
    return Unfinished(write, sum(plane.nbytes for plane in planes))


def _not_of_the_sky(header: Mapping[str, Any], summary: ProcessSummary, *, has_catalog: bool) -> str:
    """Return why an image is probably none of the sky; empty if header and sources do not say so."""
    card = next((name for name in IMAGE_TYPE_CARDS if standard_type(str(header.get(name, ""))) is not None), "")
    kind = standard_type(str(header.get(card, ""))) if card else None
    if kind in _NO_SKY:
        return (
            f"not an image of the sky: {card} = '{str(header[card]).strip()}' says that it is a {kind} frame; what was "
            "measured on it means nothing"
        )
    if has_catalog and summary.n_source == 0 and summary.psf_origin in _NO_STARS:
        return (
            "no source stands out, so nothing was measured: not an image of the sky (a bias, a dark, a flat, a "
            "spectrum), an empty field, or clouds"
        )
    return ""


def _complete(exposure: Exposure, config: ProcessFileConfig, path: Path) -> tuple[str, list[str]]:
    """Add mask planes and a variance to an image that came without.

    Returns
    -------
    source : str
        Where the gain is from; empty if it was not needed.
    warnings : list of str
        What the user should know.
    """
    pixels = exposure.masked_image
    mask = pixels.mask
    for plane in Mask.zeros((1, 1)).planes:
        mask.add_plane(plane)
    finite = np.isfinite(pixels.image)
    if not finite.any():
        raise FileFormatError("every pixel is NaN or infinite: there is no image to process", path=path)
    mask.set(~finite, "UNMASKEDNAN", "NO_DATA")
    refuse_flags(pixels.image)
    warnings = restore_negative_counts(pixels)
    saturation = config.saturation if config.saturation is not None else _number(exposure.metadata, *SATURATION_CARDS)
    if saturation is not None:
        mask.set(pixels.image >= saturation, "SAT")
    if config.low is not None:
        mask.set(pixels.image < config.low, "BAD")
    if config.find_saturation:
        warnings += mask_wrapped_counts(pixels) or mask_flat_tops(pixels)
    if config.find_constant:
        warnings += mask_constant_pixels(pixels)
    warnings += warn_of_lost_values(pixels)
    saturated = pixels.image[mask.any("SAT") & np.isfinite(pixels.image)]
    if saturation is None and saturated.size:
        saturation = float(saturated.min())
    gain, source = _gain(exposure, config)
    nan = float("nan")  # a card without a value
    exposure.metadata.update(GAIN=nan if gain is None else gain, SATURATE=nan if saturation is None else saturation)
    good = np.isfinite(pixels.image) & ~mask.any("NO_DATA")
    if (np.isfinite(pixels.variance) & good).any():
        return "", warnings
    return source, warnings + _add_variance(exposure, good, gain, config)


def _in_unit(catalog: Catalog, unit: str) -> Catalog:
    """Return a catalog whose fluxes have the unit of the image; FITS tables have no electrons, and count them."""
    if unit == "adu":
        return catalog
    unit = unit.replace("electron", "ct")
    columns = {
        name: replace(column, unit=unit) if column.unit in _COUNTS else column
        for name, column in catalog.columns.items()
    }
    return Catalog(columns, catalog.metadata)


def _weighted(pixels: MaskedImage, weight: NDArray[np.float32]) -> MaskedImage:
    """Return pixels whose variance goes as the inverse of a weight, and is what it was at the median weight."""
    good = (weight > 0) & np.isfinite(pixels.image)
    typical = np.median(weight[good])
    variance = pixels.variance * (typical / np.where(good, weight, typical)).astype(np.float32)
    return MaskedImage(pixels.image, pixels.mask, variance)


def _add_variance(
    exposure: Exposure, good: NDArray[np.bool_], gain: float | None, config: ProcessFileConfig
) -> list[str]:
    """Add a variance, and return what the user should know."""
    pixels, metadata = exposure.masked_image, exposure.metadata
    read_noise = config.read_noise if config.read_noise is not None else _number(metadata, *READ_NOISE_CARDS)
    found = make_variance(
        pixels.image,
        good,
        gain=gain if config.variance_from_gain else None,
        read_noise=read_noise,
        background_subtracted=config.background_subtracted or not config.variance_from_gain,
    )
    exposure.masked_image = MaskedImage(pixels.image, pixels.mask, found.variance)
    if np.isfinite(found.gain):
        metadata.update(GAIN=found.gain, RDNOISE=found.read_noise)
    return [found.warning] if found.warning else []


def _gain(exposure: Exposure, config: ProcessFileConfig) -> tuple[float | None, str]:
    """Return the electrons of one unit of the image, or None, and where they are from in words."""
    metadata = exposure.metadata
    unit = parse_image_unit(str(metadata.get("BUNIT", "")))
    if config.gain is not None:
        return config.gain, f"gain {config.gain:g} electrons for 1 {unit.name} (setting)"
    card = next((name for name in GAIN_CARDS if _number(metadata, name) is not None), "")
    info = exposure.visit_info
    gain, how = unit.electrons(_number(metadata, card), info.exposure_time if info is not None else float("nan"))
    source = ", ".join(filter(None, (how, card if unit.kind == "count" else "")))
    if gain is None:
        return None, f"gain not known{f' ({source})' if source else ''}"
    return gain, f"gain {gain:g} electrons for 1 {unit.name} ({source})"


def _number(metadata: dict[str, Any], *names: str) -> float | None:
    """Return the first positive number that the header has under one of the names, or None."""
    for name in names:
        try:
            value = float(metadata[name])
        except (KeyError, TypeError, ValueError):
            continue
        if np.isfinite(value) and value > 0:
            return value
    return None
