"""Process a night while it is observed: take files as they arrive, and process each as soon as it is whole.

Everything that is known is in the repository and its output. A watch that was killed continues where it was, and ends
as if the night had been processed at once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import DataIdError, RepositoryError
from obs.executor.outcome import Outcome
from obs.ingest.arrivals import Arrivals
from obs.ingest.image_size import find_other_size
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.report import FileReport
from obs.policy.data_id import DataId, format_data_id
from obs.process_summary import ProcessSummary
from obs.repo.butler import Butler
from obs.repo.frame_types import OtherFrames
from obs.runs.pending import plan_run
from obs.runs.process import process_data_ids
from obs.runs.selection import select_data_ids
from obs.tasks.process_config import ProcessConfig

__all__ = ["Step", "watch_folder"]

#: How often the folder is looked at, s.
PAUSE = 1.0
#: A file that is not whole and has not changed for so long is named, s.
PATIENCE = 60.0


@dataclass
class Step:
    """What one look at the folder brought: files at first, and outcomes once they are processed.

    Attributes
    ----------
    files : list of FileReport
        Files that were ingested, or could not be.
    outcomes : list of Outcome
        Data IDs that were processed.
    stopped : dict of Path to str
        Files that are not whole or cannot be read, and have not changed for a minute, or will not because the watch
        ends; with the reason.
    """

    files: list[FileReport] = field(default_factory=list)
    outcomes: list[Outcome[ProcessSummary]] = field(default_factory=list)
    stopped: dict[Path, str] = field(default_factory=dict)


def watch_folder(
    butler: Butler,
    folder: Path,
    config: ProcessConfig,
    *,
    ids: Sequence[Sequence[str]] = (),
    processes: int = 1,
    settle: float = 2.0,
    idle: float | None = None,
    pause: float = PAUSE,
    on_done: Callable[[Outcome[ProcessSummary]], None] | None = None,
) -> Iterator[Step]:
    """Ingest and process files as they arrive; yield what each look at the folder brought, if it brought anything.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    folder : Path
        Where files arrive.
    config : ProcessConfig
        Settings.
    ids : sequence, optional
        Words of ``--id`` for what is to be processed; the default is all science exposures.
    processes : int, optional
        Number of processes.
    settle : float, optional
        A file is taken when it has not changed for this long, s.
    idle : float, optional
        End when nothing has arrived for this long, s; None watches for ever.
    pause : float, optional
        Time between two looks, s.
    on_done : callable, optional
        Called with the outcome of each data ID.

    Yields
    ------
    Step
    """
    arrivals, last = Arrivals(folder, settle), time.monotonic()
    tried: dict[str, tuple[int, int]] = {}
    waiting: list[DataId] | None = None
    while True:
        files = _ingest(butler, arrivals.poll())
        step = Step(files, stopped=arrivals.stopped(PATIENCE))
        if step.files:
            last = time.monotonic()
        if step.files or step.stopped:
            yield step  # at once: processing takes a while
        if waiting is None or any(file.status != "failed" for file in files):
            waiting = _to_process(butler, config, ids, tried)
        # a few at a time, so that somebody who watches sees each soon
        some, waiting = waiting[:processes], waiting[processes:]
        for data_id in some:
            tried[format_data_id(data_id)] = _stamp(butler, data_id)
        if some:
            outcomes = process_data_ids(butler, config, some, processes=processes, on_done=on_done)
            last = time.monotonic()
            yield Step(outcomes=outcomes)
        elif not (step.files or step.stopped) and idle is not None and time.monotonic() - last > idle:
            if left := arrivals.stopped(0.0):
                yield Step(stopped=left)  # a short watch ends before their patience does
            return
        if not waiting:
            time.sleep(pause)


def _ingest(butler: Butler, paths: Sequence[Path]) -> list[FileReport]:
    if not paths:
        return []
    # of two cameras with one name the smaller one's files would take the numbers of the other's
    others = {path: reason for path in paths if (reason := find_other_size(path, butler.instrument))}
    own = [path for path in paths if path not in others]
    found = [FileReport(path, "skipped", reason) for path, reason in others.items()]
    return found + (list(ingest_raws(butler, own, IngestOptions(ignore_ingested=True)).files) if own else [])


def _to_process(
    butler: Butler, config: ProcessConfig, ids: Sequence[Sequence[str]], tried: dict[str, tuple[int, int]]
) -> list[DataId]:
    """Return data IDs without current results; one that failed is tried again only if its raw file has changed."""
    raw = butler.instrument.raw_dataset_type
    try:
        is_empty = not butler.query_metadata(raw, list(butler.get_keys(raw)))
    except (DataIdError, RepositoryError):
        is_empty = True  # no file has been registered, and there is no table
    if is_empty:
        return []
    chosen = select_data_ids(butler, ids or [[]]).data_ids
    plan = plan_run(butler, config, chosen if ids else OtherFrames(butler).split(chosen)[0])
    return [data_id for data_id in plan.to_process if tried.get(format_data_id(data_id)) != _stamp(butler, data_id)]


def _stamp(butler: Butler, data_id: DataId) -> tuple[int, int]:
    """Return size and time of the raw file, which tell whether it has changed."""
    try:
        found = butler.path(butler.instrument.raw_dataset_type, data_id).stat()
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)
