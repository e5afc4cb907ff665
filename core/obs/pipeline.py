"""One detector of one visit: get, remove the signature, characterize, calibrate, put.

The only place where the stages meet the repository. Each input is read once, each output written once.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from obs.algorithms.astrometry.match import Matches
from obs.errors import DatasetNotFoundError, ObsError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.known_psf import KnownPsf
from obs.metrics.detector import Stage
from obs.metrics.record import record_detector
from obs.policy.data_id import format_data_id
from obs.process_summary import ProcessSummary
from obs.raw_exposure import remove_raw_signature
from obs.repo.butler import Butler
from obs.repo.fits_checksum import checksums_compared
from obs.repo.good_psfs import PsfAwaitedError, read_nearest_psf, remove_good_psf, write_good_psf
from obs.repo.input_files import inputs_noted
from obs.repo.reference_choice import find_reference, reference_names
from obs.repo.result_record import ResultRecord, settings_digest
from obs.step_log import log_step
from obs.tasks.calibrate import CalibrateConfig, Calibrated, calibrate
from obs.tasks.characterize import CharacterizeConfig, Characterized, characterize
from obs.tasks.isr_config import NO_WCS, IsrConfig
from obs.tasks.process_config import ProcessConfig
from obs.tasks.reference import NO_REFERENCE, field_circle
from obs.tasks.retarget import check_result, find_step
from obs.tasks.uneven_sky import warn_of_uneven_sky
from obs.threads import map_threads
from obs.version import __version__

__all__ = ["FREE_SETTINGS", "ComputedDetector", "Stages", "compute_detector", "process_detector", "process_digest"]

logger = logging.getLogger(__name__)

#: Warning of an exposure that there is nothing to match with.
_UNCALIBRATED = (
    "the repository has no reference catalog: positions rest on the pointing in the header, and magnitudes are not "
    "calibrated; add one with obs refcat get or obs ingest-refcat, and process again"
)

#: The same of an exposure that has no position on the sky at all.
_NOWHERE = (
    "the repository has no reference catalog, and the header has no pointing: the catalog has positions in pixels "
    "only, magnitudes are not calibrated; download the stars of the field by obs refcat get REPO --from gaia --ra DEG "
    "--dec DEG, and process again"
)

#: What is written for a data ID; the metadata, which say whether the rest is complete, go first.
_OUTPUTS = (
    "processCcd_metadata",
    "postISRCCD",
    "icExp",
    "icSrc",
    "icExpBackground",
    "calexp",
    "calexpBackground",
    "src",
    "sourceTable",
    "srcMatch",
    "srcMatchFull",
)
#: Settings that may change from run to run in one output, because the header of each frame records their effect.
FREE_SETTINGS = ("isr.allow_missing",)


class Stages:
    """Characterization and calibration of one exposure, with their outputs.

    Parameters
    ----------
    put : callable
        Called with an object and a dataset type, writes it; by several threads at the same time.
    summary : ProcessSummary
        Filled in on the way.
    exposure_id, exposure_id_bits : int
        Number of the exposure.
    name : str, optional
        Data ID or file name of the exposure.
    good_psfs : sequence of Path, optional
        Outputs with the PSFs of good exposures; the first gets that of this one if it is good. None: neither is done.
    may_wait : bool, optional
        Raise `PsfAwaitedError` where the PSF of another exposure is needed.
    """

    def __init__(
        self,
        put: Callable[[object, str], None],
        summary: ProcessSummary,
        *,
        exposure_id: int,
        exposure_id_bits: int,
        name: str = "",
        good_psfs: Sequence[Path] = (),
        may_wait: bool = False,
    ) -> None:
        self.put, self.summary, self.name, self.good_psfs, self.may_wait = put, summary, name, good_psfs, may_wait
        self.numbers = {"exposure_id": exposure_id, "exposure_id_bits": exposure_id_bits}

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time of a step to the summary.

        Parameters
        ----------
        step : str
            Name of the step. Times of several calls are added, in seconds.
        """
        log_step(step)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.summary.seconds[step] = self.summary.seconds.get(step, 0.0) + time.perf_counter() - start

    def characterize(self, exposure: Exposure, config: CharacterizeConfig) -> Characterized:
        """Run `characterize` and write ``icSrc``, ``icExpBackground``, and ``icExp`` if asked for.

        Parameters
        ----------
        exposure : Exposure
            Exposure without instrument signature; changed in place.
        config : CharacterizeConfig
            Settings.

        Raises
        ------
        ConfigError
            If the user's own step returns something else.
        """
        with self.timed("characterize"):
            if self.good_psfs:
                remove_good_psf(self.good_psfs[0], exposure, self.name)
            find_psf = partial(self._find_psf, exposure)
            step = find_step(config.target, characterize, "characterize.target")
            found: Characterized = step(exposure, config, **self.numbers, find_psf=find_psf)
            check_result(found, Characterized, "characterize.target", config.target)
        self.summary.fwhm = found.fwhm
        self._set_seeing(exposure)
        self.summary.psf_sigma = found.sigma
        self.summary.n_psf_star = found.n_psf_star
        self.summary.n_cosmic_ray_pixel = found.n_cosmic_ray_pixel
        self.summary.psf_size_residual, self.summary.psf_origin = found.psf_size_residual, found.psf_origin
        self.summary.psf_exposure = found.psf_exposure
        self.summary.noise_ratio = found.sky.noise.ratio
        self.summary.n_streak, self.summary.streak_fraction = found.sky.n_streak, found.sky.streak_fraction
        self.summary.warnings.extend([*found.sky.warnings, *found.warnings])
        exposure.metadata.update(PSFFWHM=found.fwhm, PSFORIG=found.psf_origin)
        with self.timed("write"):
            self.put(found.catalog, "icSrc")
            self.put(found.backgrounds, "icExpBackground")
            if config.write_exposure:
                self.put(exposure, "icExp")
            if found.psf_trusted and self.good_psfs:
                write_good_psf(self.good_psfs[0], exposure, self.name)
        return found

    def _find_psf(self, exposure: Exposure) -> KnownPsf | None:
        if self.may_wait:
            raise PsfAwaitedError
        return read_nearest_psf(self.good_psfs, exposure)

    def calibrate(
        self,
        found: Characterized,
        config: CalibrateConfig,
        *,
        band: str,
        load_reference: Callable[[float, float, float], Catalog | None],
    ) -> Calibrated:
        """Run `calibrate`; `write` writes what it returns.

        Parameters
        ----------
        found : Characterized
            Result of `characterize`.
        config : CalibrateConfig
            Settings.
        band : str
            Band of the exposure.
        load_reference : callable
            Function of right ascension, declination and radius, all in degrees, that returns reference sources,
            or None.
        """
        exposure = found.exposure
        reference = None
        with self.timed("reference"):
            if exposure.wcs is not None and (config.astrometry.enabled or config.photometry.enabled):
                ra, dec, radius = field_circle(exposure.wcs, exposure.shape, config.reference.margin)
                reference = load_reference(ra, dec, radius / 3600.0)
        with self.timed("calibrate"):
            step = find_step(config.target, calibrate, "calibrate.target")
            done: Calibrated = step(
                exposure,
                found.backgrounds,
                found.catalog,
                found.corrections,
                reference,
                band,
                config,
                exposure_id=self.numbers["exposure_id"],
                exposure_id_bits=self.numbers["exposure_id_bits"],
                find_reference=load_reference,
                psf_origin=found.psf_origin,
            )
        check_result(done, Calibrated, "calibrate.target", config.target)
        # the pixel scale may be known only now, or may have been wrong
        self._set_seeing(done.exposure)
        summary = self.summary
        summary.n_source, summary.n_reference = len(done.catalog), len(done.matches)
        summary.zero_point, summary.zero_point_rms = done.zero_point.zero_point, done.zero_point.rms
        summary.n_zero_point, summary.astrometric_scatter = done.zero_point.n_star, done.astrometric_scatter
        summary.add_astrometry(done.astrometry)
        summary.background_residual = done.background_residual
        summary.warnings.extend(done.warnings)
        if not np.isfinite(done.zero_point.zero_point):
            summary.warnings.extend(warn_of_uneven_sky(found.sky.shape))
        return done

    def _set_seeing(self, exposure: Exposure) -> None:
        """Set the seeing by the width of the PSF and the pixel scale; NaN where the latter is not known."""
        scale = exposure.wcs.pixel_scale if exposure.wcs is not None else float("nan")
        self.summary.seeing = self.summary.fwhm * scale
        exposure.metadata["SEEING"] = self.summary.seeing

    def write(self, done: Calibrated, config: CalibrateConfig, band: str) -> None:
        """Write ``calexp``, ``calexpBackground``, ``src`` and the matches, if asked for.

        Parameters
        ----------
        done : Calibrated
            Result of `calibrate`.
        config : CalibrateConfig
            Settings.
        band : str
            Band of the exposure.
        """
        if not config.write:
            return
        with self.timed("write"):
            done.exposure.metadata["OBSVERS"] = __version__
            results = [(done.exposure, "calexp"), (done.backgrounds, "calexpBackground"), (done.catalog, "src")]
            if config.parquet:
                results.append((done.catalog, "sourceTable"))
            if config.write_matches and len(done.reference):
                packed, full = match_catalogs(done.catalog, done.reference, done.matches)
                if done.exposure.wcs is not None:
                    ra, dec, radius = field_circle(done.exposure.wcs, done.exposure.shape, config.reference.margin)
                    packed.metadata.update(RA=ra, DEC=dec, RADIUS=radius / 3600.0, FILTER=band)
                results += [(packed, "srcMatch"), (full, "srcMatchFull")]
            map_threads(lambda result: self.put(*result), results)


def match_catalogs(catalog: Catalog, reference: Catalog, matches: Matches) -> tuple[Catalog, Catalog]:
    """Return matches as pairs of ids, and as rows of both catalogs side by side.

    Parameters
    ----------
    catalog, reference : Catalog
        Sources and reference sources.
    matches : Matches
        Rows of both that belong together, separation in arcsec.

    Returns
    -------
    packed, full : Catalog
        Contents of ``srcMatch`` and of ``srcMatchFull``.
    """
    packed, full = Catalog(), Catalog()
    ids = reference["id"] if "id" in reference else np.arange(len(reference))
    packed.add("first", ids[matches.second], "", "id of the reference source")
    packed.add("second", catalog["id"][matches.first], "", "id of the source")
    packed.add("distance", matches.separation, "arcsec", "separation")
    for prefix, table, rows in (("ref_", reference, matches.second), ("src_", catalog, matches.first)):
        for name, column in table.columns.items():
            full.add(prefix + name, column.data[rows], column.unit, column.description)
    full.add("distance", matches.separation, "arcsec", "separation")
    return packed, full


def process_detector(
    butler: Butler, data_id: Mapping[str, Any], config: ProcessConfig, *, may_wait: bool = False
) -> ProcessSummary:
    """Process one detector's exposure from its raw data to its catalog.

    Parameters
    ----------
    butler : Butler
        Repository to read from and write to.
    data_id : mapping
        Which exposure.
    config : ProcessConfig
        Settings.
    may_wait : bool, optional
        Raise `obs.repo.good_psfs.PsfAwaitedError` where the PSF of another exposure is needed.

    Returns
    -------
    ProcessSummary

    Raises
    ------
    ObsError
        If a dataset is missing or damaged, or the pixels do not allow a required measurement. The metadata are written
        all the same, and say why; what an earlier run has written for this data ID is removed.
    """
    return compute_detector(butler, data_id, config, may_wait=may_wait).write()


@frozen(eq=False)
class ComputedDetector:
    """A detector's exposure that is processed, and of which the last results are not written yet.

    Attributes
    ----------
    write : callable
        Writes them, and returns a `ProcessSummary`. It may run while the next exposure is processed.
    size : int
        Memory that they take, bytes.
    """

    write: Callable[[], ProcessSummary]
    size: int


def compute_detector(
    butler: Butler, data_id: Mapping[str, Any], config: ProcessConfig, *, may_wait: bool = False
) -> ComputedDetector:
    """Do what `process_detector` does, but leave it to the caller when calibrated image and catalog are written.

    Parameters
    ----------
    butler : Butler
        As there.
    data_id : mapping
        As there.
    config : ProcessConfig
        As there.
    may_wait : bool, default: False
        As there.

    Raises
    ------
    ObsError
        As there; `ComputedDetector.write` raises it, too.
    """
    summary, stage = ProcessSummary(), Stage()
    with _failure_recorded(butler, data_id, stage, summary):
        _remove_earlier(butler, data_id)
        with inputs_noted() as inputs:
            write_results = _run(butler, data_id, config, summary, stage, may_wait=may_wait)
        references = reference_names(butler.roots)

    def write() -> ProcessSummary:
        with _failure_recorded(butler, data_id, stage, summary):
            record = ResultRecord(
                settings=process_digest(config),
                version=__version__,
                inputs=tuple(inputs.values()),
                outputs=tuple(write_results()),
                references=references,
            )
        record_detector(butler, data_id, stage, summary)
        butler.put(summary.to_metadata() | record.to_metadata(), "processCcd_metadata", data_id)
        return summary

    pixels = stage.exposure.masked_image if stage.exposure is not None else None
    planes = (pixels.image, pixels.mask.array, pixels.variance) if pixels is not None else ()
    return ComputedDetector(write, sum(plane.nbytes for plane in planes))


@contextmanager
def _failure_recorded(
    butler: Butler, data_id: Mapping[str, Any], stage: Stage, summary: ProcessSummary
) -> Iterator[None]:
    """Write an error of the block to the metrics and the metadata of the data ID."""
    try:
        yield
    except PsfAwaitedError:
        raise
    except Exception as error:
        record_detector(butler, data_id, stage, summary, error)
        failure = {**summary.to_metadata(), "status": "failed", "error": f"{type(error).__name__}: {error}"}
        with suppress(ObsError):  # why it failed matters more than that this cannot be written either
            butler.put(failure, "processCcd_metadata", data_id)
        raise


def process_digest(config: ProcessConfig) -> str:
    """Return the digest of the settings that each result records."""
    return settings_digest(config.model_dump(mode="json"), FREE_SETTINGS)


def _remove_earlier(butler: Butler, data_id: Mapping[str, Any]) -> None:
    """Remove what an earlier run of this data ID has left in the output.

    Should this run fail or be killed, no result of the earlier one is taken for its own.
    """
    for dataset_type in _OUTPUTS:
        with suppress(DatasetNotFoundError):  # the camera's policy does not have it
            butler.remove(dataset_type, data_id)


def _run(
    butler: Butler,
    data_id: Mapping[str, Any],
    config: ProcessConfig,
    summary: ProcessSummary,
    stage: Stage,
    *,
    may_wait: bool,
) -> Callable[[], list[str]]:
    """Run the stages that the settings ask for, and note what they make.

    Returns
    -------
    callable
        Writes the results of the last stage, and returns the dataset types of all that were written.
    """
    instrument = butler.instrument
    written: list[str] = []

    def put(value: object, dataset_type: str) -> None:
        butler.put(value, dataset_type, data_id)
        written.append(dataset_type)
        written.sort(key=_OUTPUTS.index)  # threads write in any order

    stages = Stages(
        put,
        summary,
        exposure_id=butler.get("ccdExposureId", data_id),
        exposure_id_bits=instrument.exposure_id_bits,
        name=format_data_id(data_id),
        good_psfs=butler.roots,
        may_wait=may_wait,
    )
    with stages.timed("isr"):
        stage.exposure = exposure = _remove_signature(butler, data_id, config.isr, summary.warnings)
    if config.isr.write or not config.do_characterize:
        with stages.timed("write"):
            put(exposure, "postISRCCD")
    if not config.do_characterize:
        return lambda: written
    stage.is_scale_known = config.calibrate.astrometry.search.maximum_scale_change is not None
    stage.found = found = stages.characterize(exposure, config.characterize)
    if not config.do_calibrate:
        return lambda: written

    problems: list[str] = []

    def load_reference(ra: float, dec: float, radius: float) -> Catalog | None:
        return find_reference(butler.roots, config.calibrate.reference.name, ra, dec, radius, problems)

    band = instrument.find_filter(exposure.physical_filter).band
    settings = _without_catalogs(config.calibrate, butler)
    try:
        stage.done = done = stages.calibrate(found, settings, band=band, load_reference=load_reference)
        stage.exposure = done.exposure
    finally:
        # a catalog that does not cover the pointing covers the frame where it was found
        if stage.done is None or not len(stage.done.reference):
            summary.warnings[:0] = problems[:1]
    if settings is not config.calibrate:
        is_nowhere = stage.exposure.wcs is None
        said = {*problems, *([NO_WCS] if is_nowhere else [])}
        others = (text for text in summary.warnings if NO_REFERENCE not in text and text not in said)
        summary.warnings[:] = [_NOWHERE if is_nowhere else _UNCALIBRATED, *others]
    for warning in summary.warnings:
        logger.debug("%s: %s", format_data_id(data_id), warning)

    def write() -> list[str]:
        stages.write(done, settings, band)
        return written

    return write


def _without_catalogs(config: CalibrateConfig, butler: Butler) -> CalibrateConfig:
    """Return settings with which an exposure without match keeps its WCS, if there is nothing to match it with."""
    astrometry = config.astrometry
    if astrometry.required is not None or reference_names(butler.roots):
        return config
    return config.model_copy(update={"astrometry": astrometry.model_copy(update={"required": False})})


def _remove_signature(butler: Butler, data_id: Mapping[str, Any], config: IsrConfig, warnings: list[str]) -> Exposure:
    instrument = butler.instrument

    def standard(_get: Callable[[str], object], data_id: Mapping[str, Any]) -> Exposure:
        return remove_raw_signature(butler, data_id, config, warn=warnings.append)

    def get(dataset_type: str) -> object:
        return butler.get(dataset_type, data_id)

    camera_step = standard if instrument.isr is None else instrument.load(instrument.isr)
    assemble = find_step(config.target, camera_step, "isr.target")
    with checksums_compared(config.compare_checksums):
        exposure: Exposure = assemble(get, data_id)
    check_result(exposure, Exposure, "isr.target", config.target)
    return exposure
