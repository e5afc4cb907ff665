"""Which data IDs have results that can stay, which are stale, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from obs.errors import DatasetNotFoundError, FileFormatError
from obs.frame_calibrations import locate_calibrations
from obs.frozen import frozen
from obs.pipeline import process_digest
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.input_files import InputFile
from obs.repo.reference_catalog import REFERENCE_FOLDER
from obs.repo.reference_choice import reference_names
from obs.repo.result_record import ResultRecord
from obs.tasks.process_config import ProcessConfig
from obs.version import __version__

__all__ = ["Plan", "find_reasons", "plan_run"]

_METADATA = "processCcd_metadata"
_REFERENCE = "ref_cat"


@frozen
class Plan:
    """What a run has to do.

    Parameters
    ----------
    new : list of dict
        Data IDs that have no results.
    current : list of dict
        Those whose results were made with the same settings, software, inputs and calibrations.
    stale : list of (dict, list of str)
        The others, each with the reasons.
    """

    new: list[DataId] = field(default_factory=list)
    current: list[DataId] = field(default_factory=list)
    stale: list[tuple[DataId, list[str]]] = field(default_factory=list)

    @property
    def to_process(self) -> list[DataId]:
        """Data IDs that need to be processed: the stale ones first."""
        return [*(data_id for data_id, _ in self.stale), *self.new]


def plan_run(butler: Butler, config: ProcessConfig, data_ids: Sequence[DataId]) -> Plan:
    """Compare the results in an output with what a run would make now; nothing is written.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    config : ProcessConfig
        Settings of the run.
    data_ids : sequence of dict
        What is to be processed.

    Returns
    -------
    Plan
    """
    plan = Plan()
    digest = process_digest(config)
    for data_id in data_ids:
        if not butler.exists(_METADATA, data_id, write=True):
            plan.new.append(data_id)
        elif reasons := find_reasons(butler, config, data_id, digest):
            plan.stale.append((data_id, reasons))
        else:
            plan.current.append(data_id)
    return plan


def find_reasons(butler: Butler, config: ProcessConfig, data_id: DataId, digest: str) -> list[str]:
    """Return why the results of a data ID cannot stay; nothing if they can.

    Parameters
    ----------
    butler : Butler
        Repository with an output that has metadata for the data ID.
    config : ProcessConfig
        Settings of the run.
    data_id : dict
        Which results.
    digest : str
        `obs.pipeline.process_digest` of the settings.
    """
    try:
        metadata = butler.get(_METADATA, data_id)
        if not isinstance(metadata, Mapping):
            return ["its metadata cannot be read"]
        if metadata.get("status") != "done":
            return [f"it failed: {metadata.get('error', 'no reason is recorded')}"]
        record = ResultRecord.from_metadata(metadata)
    except FileFormatError as error:
        return [f"its metadata cannot be read: {error}"]
    if record is None:
        return ["its metadata do not say what it was made with"]
    reasons = [] if record.settings == digest else ["made with other settings"]
    if record.version != __version__:
        reasons.append(f"made by obs {record.version}, this is {__version__}")
    lost = [name for name in record.outputs if not butler.exists(name, data_id, write=True)]
    if lost:
        reasons.append(f"lost: {', '.join(lost)}")
    if set(record.references) != set(reference_names(butler.roots)):
        reasons.append("there are other reference catalogs")
    return [*reasons, *_changed_inputs(butler, config, data_id, record.inputs)]


def _changed_inputs(
    butler: Butler, config: ProcessConfig, data_id: DataId, recorded: Sequence[InputFile]
) -> Iterator[str]:
    """Yield a line for each input that a run would now read otherwise."""
    before = {item.dataset_type: item for item in recorded if item.dataset_type != _REFERENCE}
    now = _current_inputs(butler, config, data_id, before)
    for name, item in before.items():
        if name not in now:
            yield f"{name} is gone: {Path(item.path).name}"
        elif not item.has_content_of(now[name]):
            yield f"{name} is another: {now[name].name}"
    yield from (f"{name} is new: {path.name}" for name, path in now.items() if name not in before)
    for item in recorded:
        if item.dataset_type == _REFERENCE and not item.has_content_of(_reference_file(butler, item)):
            yield f"the reference catalog {Path(item.path).parent.name} has changed: {Path(item.path).name}"


def _current_inputs(
    butler: Butler, config: ProcessConfig, data_id: DataId, before: Mapping[str, Any]
) -> dict[str, Path]:
    """Return the raw file and the calibrations that a run would read now."""
    raw = butler.instrument.raw_dataset_type
    if butler.instrument.isr is not None:
        # What the camera's own code reads shows only when it runs: the same as before is supposed.
        return {name: butler.path(name, data_id) for name in before if butler.exists(name, data_id)}
    now = {}
    try:
        whole = butler.complete_raw(data_id)
        if butler.exists(raw, whole):
            now[raw] = butler.path(raw, whole)
        now |= locate_calibrations(butler, data_id, config.isr)
    except DatasetNotFoundError:
        pass  # no such frame any more
    return now


def _reference_file(butler: Butler, item: InputFile) -> Path:
    """Return where a file of a reference catalog is: below a root, also of a repository that has moved."""
    path = Path(item.path)
    places = [root / REFERENCE_FOLDER / path.parent.name / path.name for root in butler.roots]
    return next((place for place in places if place.is_file()), path)
