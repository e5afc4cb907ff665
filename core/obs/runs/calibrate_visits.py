"""Calibrate all visits of a field together, for commands and Python users alike."""

import logging
from collections.abc import Sequence
from pathlib import Path

from obs.coadds.frames import describe_failed
from obs.config.layers import ConfigLayers
from obs.errors import DataIdError
from obs.instrument.instrument import Instrument
from obs.instrument.settings import camera_settings
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.repo.made_with import recording
from obs.runs.record import RecordOptions, begin_output
from obs.runs.results import find_results, warn_of_unmatched
from obs.runs.settings import Settings, add_settings
from obs.tasks.process_settings import process_settings
from obs.tasks.relative.config import CalibrateVisitsConfig
from obs.visits.calibrate import CalibratedVisits
from obs.visits.calibrate import calibrate_visits as calibrate_data_ids

__all__ = ["calibrate_visits", "calibrate_visits_settings", "find_processed", "take_tract"]

_LOG = logging.getLogger(__name__)

_TASK = "calibrateVisits"
_RESULTS = ("calexp", "src")


def calibrate_visits_settings(instrument: Instrument) -> ConfigLayers[CalibrateVisitsConfig]:
    """Return the settings of ``obs calibrate-visits`` for a camera, to which layers can be added.

    Parameters
    ----------
    instrument : Instrument
        Camera whose own settings are the first layer.
    """
    return camera_settings(instrument, _TASK, CalibrateVisitsConfig)


def calibrate_visits(
    repository: Butler | Path | str,
    data_ids: Sequence[Sequence[str]] = (),
    *,
    rerun: str | None = None,
    output: Path | str | None = None,
    tract: int = 0,
    config: CalibrateVisitsConfig | Settings | None = None,
) -> CalibratedVisits:
    """Fit positions and magnitudes of all visits of a field together.

    Parameters
    ----------
    repository : Butler, Path or str
        An output of ``obs process``, or the repository that it was made from together with `rerun` or `output`.
    data_ids : sequence of sequence of str, optional
        The words of each ``--id``; the default is everything.
    rerun, output : optional
        Where the results of ``obs process`` are and the calibrations are written; without them that is the repository.
    tract : int, optional
        Tract that the calibrations are for.
    config : CalibrateVisitsConfig, mapping, Path or str, optional
        Settings.

    Raises
    ------
    DataIdError
        If nothing matches.
    MeasurementError
        If no image can be calibrated.
    """
    if isinstance(repository, Butler):
        butler = repository
    else:
        alone = rerun is None and output is None
        root = str(repository)
        butler = Butler(outputs=root) if alone else Butler(root, rerun=rerun, output=output)
    if not isinstance(config, CalibrateVisitsConfig):
        layers = calibrate_visits_settings(butler.instrument)
        add_settings(layers, config)
        config = layers.build()
    there = find_processed(butler, data_ids)
    if not data_ids and (failed := describe_failed(butler)):
        _LOG.warning("%s; they are not calibrated", failed)
    begin_output(butler, _TASK, config, RecordOptions(clobber=True))
    single = process_settings(butler.instrument).build().calibrate
    settings = config.model_dump(mode="json")
    with recording(butler, "calibrateVisits_metadata", {"tract": tract}, settings, is_added=True):
        return calibrate_data_ids(butler, there, config, single, tract=tract)


def find_processed(butler: Butler, ids: Sequence[Sequence[str]]) -> list[DataId]:
    """Return the data IDs of images that `obs process` was run for, also of those that failed.

    Parameters
    ----------
    butler : Butler
        The repository.
    ids : sequence of sequence of str
        The words of each ``--id``; none means everything.

    Raises
    ------
    DataIdError
        If there are none.
    """
    found: dict[str, DataId] = {}
    for dataset_type in _RESULTS:
        for result in find_results(butler, dataset_type, ids):
            found.setdefault(format_data_id(dict(sorted(result.data_id.items()))), result.data_id)
    if not found:
        wanted = "; ".join(" ".join(words) for words in ids).strip() or "anything"
        raise DataIdError(
            f"no image of {butler.output or butler.root} matches {wanted}; name the rerun of obs process, and see "
            "obs ls REPO calexp"
        )
    warn_of_unmatched(butler, _RESULTS, ids, found.values())
    return list(found.values())


def take_tract(ids: Sequence[Sequence[str]], tract: int | None) -> tuple[list[list[str]], int | None]:
    """Take ``tract=N`` out of the words of ``--id``, where users of the LSST stack write it.

    Parameters
    ----------
    ids : sequence of sequence of str
        Words ``KEY=VALUE`` of each ``--id``.
    tract : int or None
        Value of ``--tract``.

    Returns
    -------
    rest : list of list of str
        The words without those of the tract.
    tract : int or None
        The tract; None if neither option gives it.

    Raises
    ------
    DataIdError
        If it is not a number, or differs from `tract` or from that of another ``--id``.
    """
    rest: list[list[str]] = []
    for words in ids:
        rest.append([word for word in words if not word.startswith("tract=")])
        for word in words:
            if word.startswith("tract="):
                text = word.removeprefix("tract=")
                if not text.isdecimal() or tract not in (None, int(text)):
                    raise DataIdError(f"one tract is calibrated at a time, got {word}; give --tract N", key="tract")
                tract = int(text)
    return rest, tract
