"""One detector of one visit: get, remove the signature, characterize, calibrate, put.

The only place where the stages meet the repository. Each input is read once, each output written once.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from obs.errors import DatasetNotFoundError, ObsError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.metrics.detector import Stage
from obs.metrics.record import record_detector
from obs.policy.data_id import format_data_id
from obs.process_summary import ProcessSummary
from obs.raw_exposure import remove_raw_signature
from obs.repo.butler import Butler
from obs.repo.fits_checksum import checksums_compared
from obs.repo.good_psfs import PsfAwaitedError
from obs.repo.input_files import inputs_noted
from obs.repo.reference_choice import find_reference, reference_names
from obs.repo.result_record import ResultRecord, settings_digest
from obs.stages import Stages
from obs.tasks.calibrate import CalibrateConfig
from obs.tasks.isr_config import NO_WCS, IsrConfig
from obs.tasks.process_config import ProcessConfig
from obs.tasks.reference import NO_REFERENCE
from obs.tasks.retarget import check_result, find_step
from obs.version import __version__

__all__ = ["FREE_SETTINGS", "ComputedDetector", "compute_detector", "process_detector", "process_digest"]

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
