"""Images, weights, PSFs and catalogs for programs that do not know the conventions of `obs`.

SExtractor 2.25, SWarp 2.41 and SCAMP ignore SIP without a word, so that positions would be wrong by up to an arcsecond,
and SWarp clips nothing without a gain. What they get here says it in their own words.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import DataIdError, DatasetNotFoundError, MeasurementError, ObsError, OutputError
from obs.exports.image_to_export import names_patches, patch_name, read_image
from obs.exports.ldac import reference_columns, source_columns, write_ldac
from obs.exports.program_settings import PROGRAM_FILES, run_lines
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.photo_calib import SYSTEM_KEY
from obs.image.psf import PixelPsf
from obs.image.tpv import tpv_cards
from obs.image.unit_psf import with_unit_sum
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler
from obs.repo.fits_file import set_cards, write_hdus
from obs.repo.fits_psf import write_psf
from obs.repo.layout import is_repository
from obs.repo.reference_choice import find_reference
from obs.runs.results import Result, find_results, warn_of_unmatched
from obs.shell_command import shell_command
from obs.tasks.reference import ReferenceConfig, field_circle, reference_flux_name

__all__ = ["PROGRAMS", "ExportedImages", "Program", "export_for"]

logger = logging.getLogger(__name__)

Program = Literal["swarp", "scamp", "sextractor", "psfex", "ds9", "siril"]
PROGRAMS: tuple[Program, ...] = get_args(Program)

#: Counts of magnitude 0 where the zero point is 27, that of coadds.
_COADD_FLUX = 10.0**10.8
_READ_SIP = ("ds9", "siril")
_MARGIN = 60.0  # arcsec around the images in which reference stars are listed


@dataclass
class ExportedImages:
    """Files that `export_for` has written for a program.

    Parameters
    ----------
    files : list of Path
        The files.
    commands : list of str
        Commands to be run in the folder.
    calibrations : list of str
        Which calibration the images have.
    failed : list of (str, str)
        Images that could not be exported, each with the reason.
    """

    files: list[Path] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    calibrations: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def export_for(
    program: Program,
    butler: Butler,
    folder: Path,
    ids: Sequence[Sequence[str]] = (),
    *,
    clobber: bool = False,
    use_common: bool = True,
) -> ExportedImages:
    """Write calibrated images and what belongs to them for another program.

    Parameters
    ----------
    program : {"swarp", "scamp", "sextractor", "psfex", "ds9", "siril"}
        The program.
    butler : Butler
        The repository.
    folder : Path
        Where to write; made if it does not exist.
    ids : sequence of sequence of str, optional
        The words of each ``--id``; none means everything.
    clobber : bool, optional
        Replace files that exist.
    use_common : bool, optional
        Use the calibration of all visits together where there is one.

    Raises
    ------
    DataIdError
        If nothing matches.
    OutputError
        If a file exists already, or cannot be written.
    """
    kind = "deepCoadd" if names_patches(ids) else "calexp"
    results = find_results(butler, kind, ids)
    if not results:
        asked = "; ".join(" ".join(words) for words in ids) or "anything"
        command = shell_command("obs", "ls", butler.root, kind)
        raise DataIdError(f"no {kind} matches {asked} in {butler.root}; {command} lists them")
    warn_of_unmatched(butler, [kind], ids, [result.data_id for result in results])
    if folder.exists() and (not folder.is_dir() or is_repository(folder)):
        what = "a repository" if folder.is_dir() else "a file"
        raise OutputError(f"{folder} is {what}; name a folder for the export", path=folder)
    work = _Export(program, butler, folder, clobber=clobber, use_common=use_common)
    names = [patch_name(result.data_id) for result in results] if kind == "deepCoadd" else _names(results)
    for result, name in zip(results, names, strict=True):
        try:
            work.export(result, name)
        except OutputError:
            raise
        except (ObsError, ValueError) as error:
            work.done.failed.append((name, str(error)))
    work.finish()
    return work.done


def _names(results: Sequence[Result]) -> list[str]:
    """Return a name for each image: that of its file, with the folders where names are the same."""

    def stem(path: Path) -> str:
        return path.name.removesuffix(".gz").removesuffix(".fz").rpartition(".")[0]

    names = [stem(result.place) for result in results]
    if len(set(names)) == len(names):
        return names
    return ["-".join([*result.place.parts[:-1], stem(result.place)]) for result in results]


class _Export:
    """One run of `export_for`."""

    def __init__(self, program: Program, butler: Butler, folder: Path, *, clobber: bool, use_common: bool) -> None:
        self.program, self.butler, self.folder = program, butler, folder
        self.clobber, self.use_common = clobber, use_common
        self.done = ExportedImages()
        self.images: list[tuple[str, float, float]] = []
        self.filters: list[str] = []
        self.stars: dict[int, dict[str, Any]] = {}
        self.flux_name: str | None = None

    def export(self, result: Result, name: str) -> None:
        """Write one image and what belongs to it."""
        image = read_image(self.butler, result.data_id, use_common=self.use_common)
        exposure = image.exposure
        if exposure.wcs is None:
            raise MeasurementError("its calexp has no WCS; process it with a reference catalog that covers it")
        cards = self._cards(exposure, name)
        match self.program:
            case "scamp":
                sources = source_columns(image.catalog())
                self._write_ldac(f"{name}.ldac", sources, cards)
                self._collect_reference(exposure)
            case _:
                self._write_image(name, exposure, cards, image.sky_variance())
                if self.program == "ds9" and (catalog := image.catalog_if_there()) is not None:
                    self._write_regions(name, catalog)
                if isinstance(exposure.psf, PixelPsf) and self.program in ("sextractor", "psfex", "swarp"):
                    write_psf(with_unit_sum(exposure.psf, exposure.shape), self._free(f"{name}.psf"))
        self.done.calibrations = list(dict.fromkeys([*self.done.calibrations, image.calibration]))
        zero_point = math.nan if exposure.photo_calib is None else exposure.photo_calib.zero_point
        fwhm = exposure.psf.fwhm if isinstance(exposure.psf, PixelPsf) else math.nan
        self.images.append((name, zero_point, fwhm))
        if exposure.physical_filter and exposure.physical_filter not in self.filters:
            self.filters.append(exposure.physical_filter)

    def finish(self) -> None:
        """Write what belongs to all images: settings and the reference catalog."""
        if not self.images:
            return
        if self.program == "swarp" and len(self.filters) > 1:
            logger.warning(
                "images of filters %s: SWarp would add them to one image; choose one with --id filter=%s",
                ", ".join(self.filters),
                self.filters[0],
            )
        for name, text in PROGRAM_FILES[self.program].items():
            with atomic_write(self._free(name)) as file:
                file.write(text.encode())
        if self.program == "scamp":
            self._write_reference()
        self.done.commands = run_lines(self.program, self.images, {path.name for path in self.done.files})

    def _free(self, name: str) -> Path:
        path = self.folder / name
        if path.exists() and not self.clobber:
            raise OutputError(f"{path} exists already; --clobber replaces it", path=path)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.done.files.append(path)
        return path

    def _cards(self, exposure: Exposure, name: str) -> dict[str, Any]:
        """Return the header of an image in the program's words."""
        metadata, info, calib = exposure.metadata, exposure.visit_info, exposure.photo_calib
        height, width = exposure.shape
        cards: dict[str, Any] = {"NAXIS": 2, "NAXIS1": width, "NAXIS2": height} if self.program == "scamp" else {}
        cards["OBJECT"] = str(metadata.get("OBJECT", name))
        cards["FILTER"] = exposure.physical_filter or "unknown"
        if info is not None:
            cards |= info.to_header()
        for card in ("GAIN", "SATURATE"):
            value = metadata.get(card)
            if isinstance(value, int | float) and math.isfinite(value):
                cards[card] = float(value)
            else:
                logger.warning("%s: %s is not known; give it to the program by hand", name, card)
        if calib is not None:
            cards |= {
                "FLUXMAG0": (calib.flux_mag0, "counts of magnitude 0"),
                "MAGZP": (calib.zero_point, "[mag] zero point of counts"),
                "FLXSCALE": (_COADD_FLUX / calib.flux_mag0, "to counts with zero point 27"),
            }
            cards |= {SYSTEM_KEY: (calib.system, "magnitude system")} if calib.system else {}
        if "SEEING" in metadata:
            cards["SEEING"] = metadata["SEEING"]
        if exposure.wcs is not None:
            cards |= exposure.wcs.to_header() if self.program in _READ_SIP else tpv_cards(exposure.wcs)
        return cards

    def _write_image(
        self, name: str, exposure: Exposure, cards: Mapping[str, Any], sky_variance: NDArray[np.float32]
    ) -> None:
        pixels = exposure.masked_image
        bad = pixels.mask.unusable() | ~np.isfinite(pixels.image)
        header = fits.Header()
        set_cards(header, {"BUNIT": "adu", **cards})
        image = np.where(np.isfinite(pixels.image), pixels.image, np.float32(0.0)).astype(np.float32)
        if self.program == "siril":
            header["ROWORDER"] = "BOTTOM-UP"
            write_hdus(self._free(f"{name}.fit"), [fits.PrimaryHDU(image, header)])
            return
        write_hdus(self._free(f"{name}.fits"), [fits.PrimaryHDU(image, header)])
        if self.program == "ds9":
            write_hdus(self._free(f"{name}.mask.fits"), [fits.PrimaryHDU(pixels.mask.array, header)])
            return
        good = ~bad & np.isfinite(sky_variance) & (sky_variance > 0)
        if not good.any():
            raise MeasurementError("none of its pixels has data and a variance")
        weight = np.divide(np.float32(1.0), sky_variance, where=good, out=np.zeros(bad.shape, np.float32))
        write_hdus(self._free(f"{name}.weight.fits"), [fits.PrimaryHDU(weight, header)])
        flags = pixels.mask.array.astype(np.int32)
        set_cards(header, {f"MP_{plane}": bit for plane, bit in pixels.mask.planes.items()})
        flags = np.where(bad, flags | 1 << 30, 0).astype(np.int32)
        write_hdus(self._free(f"{name}.flag.fits"), [fits.PrimaryHDU(flags, header)])

    def _write_ldac(self, name: str, columns: Mapping[str, Any], cards: Mapping[str, Any]) -> None:
        write_ldac(self._free(name), columns, cards)

    def _write_regions(self, name: str, catalog: Catalog) -> None:
        lines = ["# Region file format: DS9 version 4.1", "global color=green", "image"]
        extended = np.asarray(catalog["base_ClassificationExtendedness_value"]) > 0.5
        places = zip(catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"], extended, strict=True)
        for x, y, is_extended in places:
            lines.append(f"circle({x + 1:.2f},{y + 1:.2f},6) # color={'cyan' if is_extended else 'green'}")
        with atomic_write(self._free(f"{name}.reg")) as file:
            file.write("\n".join([*lines, ""]).encode())

    def _collect_reference(self, exposure: Exposure) -> None:
        """Keep the reference stars of an image, each once."""
        if exposure.wcs is None:
            return
        problems: list[str] = []
        ra, dec, radius = field_circle(exposure.wcs, exposure.shape, _MARGIN)
        try:
            found = find_reference(self.butler.roots, None, ra, dec, radius / 3600.0, problems)
        except DatasetNotFoundError as error:
            problems.append(str(error))
            found = None
        if found is None or not len(found):
            logger.warning("no reference stars: %s", "; ".join(problems) or "the catalog has none here")
            return
        band = self.butler.instrument.find_filter(exposure.physical_filter).band if exposure.physical_filter else ""
        self.flux_name = self.flux_name or reference_flux_name(found, band, ReferenceConfig())
        columns = reference_columns(found, self.flux_name if self.flux_name in found else None)
        numbers = found["id"] if "id" in found else np.arange(len(found)) + len(self.stars)
        for row, number in enumerate(numbers.tolist()):
            self.stars.setdefault(number, {name: (data[row], unit) for name, (data, unit) in columns.items()})

    def _write_reference(self) -> None:
        if not self.stars:
            return
        rows = list(self.stars.values())
        columns = {name: (np.array([row[name][0] for row in rows]), unit) for name, (_, unit) in rows[0].items()}
        self._write_ldac("reference.cat", columns, {"NAXIS": 0})
