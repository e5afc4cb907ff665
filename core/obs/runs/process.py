"""Process many detector images of a repository."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, OutputError
from obs.executor.outcome import Outcome, Unfinished
from obs.memory import keep_freed_memory
from obs.metrics.gather import gather_metrics
from obs.metrics.record import expect_results, record_failure
from obs.pipeline import FREE_SETTINGS, compute_detector
from obs.policy.data_id import DataId
from obs.process_summary import ProcessSummary
from obs.repo.butler import Butler
from obs.repo.frame_types import leave_out_other_frames
from obs.repo.rerun_settings import compare_config
from obs.runs.pending import plan_run
from obs.runs.record import RecordOptions, begin_output
from obs.runs.run_log import open_run_log
from obs.runs.selection import select_data_ids
from obs.runs.settings import Settings, add_settings
from obs.runs.two_passes import run_in_two_passes
from obs.shell_command import shell_command
from obs.tasks.process_config import ProcessConfig
from obs.tasks.process_settings import process_settings

__all__ = ["compare_run", "process", "process_data_ids", "process_settings", "record_run"]

_TASK = "process"


def process(
    repository: Butler | Path | str,
    data_ids: str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]] = "",
    *,
    output: Path | str | None = None,
    rerun: str | None = None,
    config: Settings | None = None,
    processes: int = 1,
    raise_errors: bool = False,
    clobber_config: bool = False,
    skip_existing: bool = False,
) -> list[Outcome[ProcessSummary]]:
    """Turn exposures of a repository into calibrated images and catalogs.

    This is ``obs process`` for Python. A data ID that fails does not stop the others.

    Parameters
    ----------
    repository : Butler, Path or str
        The repository, as a folder or as a `Butler` with an output.
    data_ids : str, mapping, or iterable of them
        Data IDs as on the command line (``"visit=12 ccd=0..3"``), or as mappings; the default is everything.
    output : Path or str, optional
        Folder to write to.
    rerun : str, optional
        Write to ``rerun/NAME`` in the repository instead.
    config : mapping, Path or str, optional
        Settings by dotted name, or a file of settings.
    processes : int, optional
        Number of processes. Above 1, a script needs the guard ``if __name__ == "__main__":``.
    raise_errors : bool, optional
        Raise the first error instead of recording it.
    clobber_config : bool, optional
        Continue in an output that was made with other settings.
    skip_existing : bool, optional
        Keep results that were made with the same settings, software, raw files, calibrations and reference catalogs.
        Data IDs that have them give no outcome.

    Returns
    -------
    list of Outcome
        One for each data ID that was processed: ``data_id``, ``result`` (a `ProcessSummary`, or None), ``error``,
        ``seconds``.

    Raises
    ------
    DataIdError
        If no raw data match, or a key is unknown.
    OutputError
        If no output is named, or it was made with other settings.
    ConfigError
        If a setting does not exist, or its value is invalid.

    Examples
    --------
    >>> from obs import process
    >>> outcomes = process("DATA", "visit=21", rerun="first", config={"calibrate.parquet": True})
    >>> [(outcome.data_id["visit"], outcome.ok) for outcome in outcomes]
    [(21, True)]
    """
    butler = repository
    if not isinstance(butler, Butler):
        butler = Butler(butler, output=output, rerun=rerun)
    elif output is not None or rerun is not None:
        raise OutputError("a Butler has an output of its own; give output or rerun to the Butler")
    if butler.output is None:
        raise OutputError("no output is named; give output='DIR' or rerun='NAME'")
    layers = process_settings(butler.instrument)
    add_settings(layers, config)
    settings = layers.build()
    ids = [_words(item) for item in _several(data_ids)]
    to_process: Sequence[DataId] = leave_out_other_frames(butler, select_data_ids(butler, ids).asked)
    if not to_process:
        raise DataIdError(
            f"no raw data match {data_ids!r}; {shell_command('obs', 'ls', butler.root)} lists what there is"
        )
    if skip_existing:
        compare_run(butler, settings, clobber=clobber_config)
        to_process = plan_run(butler, settings, to_process).to_process
    record_run(butler, settings, RecordOptions(clobber=clobber_config))
    return process_data_ids(butler, settings, to_process, processes=processes, raise_errors=raise_errors)


def compare_run(butler: Butler, config: ProcessConfig, *, clobber: bool = False) -> None:
    """Compare the settings of a run with those of its output; nothing is written.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    config : ProcessConfig
        Settings of the run.
    clobber : bool, optional
        Let settings differ.

    Raises
    ------
    OutputError
        If the output was made with other settings.
    """
    if not clobber:
        compare_config(Path(str(butler.output)), _TASK, config.model_dump(mode="json"), free=FREE_SETTINGS)


def record_run(butler: Butler, config: ProcessConfig, options: RecordOptions | None = None) -> None:
    """Record settings and software in the output.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    config : ProcessConfig
        Settings of the run.
    options : RecordOptions, optional
        What to do where the output was made with others; by default other settings are an error.

    Raises
    ------
    OutputError
        If the output was made with other settings, or cannot be written.
    """
    begin_output(butler, _TASK, config, options, free=FREE_SETTINGS)


def process_data_ids(
    butler: Butler,
    config: ProcessConfig,
    data_ids: Sequence[DataId],
    *,
    processes: int = 1,
    timeout: float | None = None,
    on_done: Callable[[Outcome[ProcessSummary]], None] | None = None,
    raise_errors: bool = False,
) -> list[Outcome[ProcessSummary]]:
    """Process data IDs, in this process or in several; see `obs.executor.run` for the arguments.

    Exposures without stars, which need the PSF of another one, come last. Then metrics of the output are gathered.

    Parameters
    ----------
    butler : Butler
        Butler with an output.
    config : ProcessConfig
        Settings.
    data_ids : sequence of dict
        Exposures of detectors.
    processes : int, default: 1
        Number of processes that work at the same time.
    timeout : float, optional
        Time limit for each data ID, seconds.
    on_done : callable, optional
        Called in this process with every outcome as soon as it is known.
    raise_errors : bool, default: False
        Whether the first exception is raised instead of recorded. Then everything runs in this process.

    Returns
    -------
    list of Outcome
        One for each data ID. Failed ones are recorded in the output as well.
    """
    output = Path(str(butler.output))
    expect_results(output, data_ids)
    with open_run_log(output, _TASK, data_ids) as keep:

        def note(outcome: Outcome[ProcessSummary]) -> None:
            keep(outcome)
            if outcome.cause:
                record_failure(output, outcome.data_id, outcome.error, outcome.cause)
            if on_done is not None:
                on_done(outcome)

        outcomes = run_in_two_passes(
            partial(_process_one, butler=butler, config=config),
            data_ids,
            processes=processes,
            timeout=timeout,
            on_done=note,
            raise_errors=raise_errors,
        )
    gather_metrics(output)
    return outcomes


def _process_one(
    data_id: Mapping[str, Any], /, butler: Butler, config: ProcessConfig, *, may_wait: bool
) -> Unfinished[ProcessSummary]:
    """Process one data ID, but for writing the results; worker processes open the repository for themselves."""
    keep_freed_memory()
    done = compute_detector(butler, dict(data_id), config, may_wait=may_wait)
    return Unfinished(done.write, done.size)


def _several(
    data_ids: str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]],
) -> Iterable[str | Mapping[str, Any]]:
    return [data_ids] if isinstance(data_ids, str | Mapping) else data_ids


def _words(data_id: str | Mapping[str, Any]) -> list[str]:
    """Return a data ID as the words that stand behind ``--id``."""
    return data_id.split() if isinstance(data_id, str) else [f"{key}={value}" for key, value in data_id.items()]
