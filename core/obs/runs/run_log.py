"""The log of a run, beside its results: one JSON document a line for programs, and the same as text for people."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from obs.executor.outcome import Outcome, current_data_id
from obs.policy.data_id import format_data_id
from obs.repo.links_out import check_inside

__all__ = ["LOG_FOLDER", "RunLog", "open_run_log", "read_run_logs"]

logger = logging.getLogger(__name__)

#: Folder of an output that has the logs of its runs.
LOG_FOLDER = "logs"
_FACTS = ("seeing", "zero_point", "n_source", "n_reference")


class RunLog(logging.Handler):
    """Writes what happens in a run to two files.

    Parameters
    ----------
    lines : TextIO
        Gets a JSON document for each event.
    text : TextIO
        Gets a line of text for each.
    """

    def __init__(self, lines: TextIO, text: TextIO) -> None:
        super().__init__()
        self.lines, self.text = lines, text

    def event(self, kind: str, message: str, *, data_id: str = "", level: str = "INFO", **facts: object) -> None:
        """Write one event; a full disk ends the log and not the run.

        Parameters
        ----------
        kind : str
            ``start``, ``done``, ``failed``, ``warning``, ``log`` or ``end``.
        message : str
            What happened.
        data_id : str, optional
            What it happened to.
        level : str, optional
            Name of the level.
        **facts : object
            Further values, for the JSON document.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        document = {"time": time, "level": level, "kind": kind, "data_id": data_id, "message": message, **facts}
        where = f"{data_id}: " if data_id else ""
        try:
            self.lines.write(json.dumps(document, default=str, ensure_ascii=False) + "\n")
            self.text.write(f"{time[11:19]} {level} {where}{message}\n")
            if trace := facts.get("traceback"):
                self.text.write(f"{trace}\n")
            self.lines.flush()
            self.text.flush()
        except (OSError, ValueError):
            return

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message of the log.

        Parameters
        ----------
        record : logging.LogRecord
            Message, with the data ID as an attribute if it has one.
        """
        data_id = getattr(record, "data_id", None) or current_data_id.get()
        self.event("log", record.getMessage(), data_id=data_id, level=record.levelname, logger=record.name)

    def outcome(self, outcome: Outcome[Any]) -> None:
        """Write what became of a data ID, with its warnings.

        Parameters
        ----------
        outcome : Outcome
            Outcome of one data ID.
        """
        name = format_data_id(outcome.data_id)
        if not outcome.ok:
            self.event(
                "failed",
                f"{outcome.cause}: {outcome.error}",
                data_id=name,
                level="ERROR",
                seconds=round(outcome.seconds, 3),
                traceback=outcome.traceback,
            )
            return
        for warning in getattr(outcome.result, "warnings", None) or ():
            self.event("warning", warning, data_id=name, level="WARNING")
        facts = {fact: getattr(outcome.result, fact) for fact in _FACTS if hasattr(outcome.result, fact)}
        words = ", ".join(f"{fact} {value:.5g}" for fact, value in facts.items())
        message = f"done in {outcome.seconds:.1f} s{f': {words}' if words else ''}"
        steps = getattr(outcome.result, "seconds", None)
        self.event("done", message, data_id=name, seconds=round(outcome.seconds, 3), steps=steps, **facts)


@contextmanager
def open_run_log(output: Path, task: str, data_ids: Sequence[Mapping[str, Any]]) -> Iterator[Callable[..., None]]:
    """Keep the log of a run in its output, messages of the program included.

    Parameters
    ----------
    output : Path
        Folder of the output.
    task : str
        Name of the task.
    data_ids : sequence of mapping
        What the run is asked for.

    Yields
    ------
    callable
        To be called with each outcome. Where the log cannot be written, a warning says so, and it does nothing.
    """
    name = f"{task}-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
    folder = output / LOG_FOLDER
    check_inside(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lines = (folder / f"{name}.jsonl").open("a", encoding="utf-8", errors="replace")
        text = (folder / f"{name}.log").open("a", encoding="utf-8", errors="replace")
    except OSError as error:
        logger.warning("no log is kept in %s: %s", folder, error.strerror)
        yield lambda outcome: None
        return
    log = RunLog(lines, text)
    log.event("start", f"{task}: {len(data_ids)} data IDs", n_data_id=len(data_ids))
    counts = {"done": 0, "failed": 0}

    def note(outcome: Outcome[Any]) -> None:
        counts["done" if outcome.ok else "failed"] += 1
        log.outcome(outcome)

    logging.getLogger().addHandler(log)
    try:
        yield note
    finally:
        logging.getLogger().removeHandler(log)
        ended = counts["done"] + counts["failed"] == len(data_ids)
        words = f"{counts['done']} done, {counts['failed']} failed of {len(data_ids)}"
        log.event("end", words if ended else f"stopped: {words}", counts=counts)
        for file in (lines, text):
            file.close()


def read_run_logs(output: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of all runs of an output, in order; a line that a killed run left unfinished is passed over.

    Parameters
    ----------
    output : Path
        Folder of the output.
    """
    for path in sorted((output / LOG_FOLDER).glob("*.jsonl"), key=lambda path: path.name.split("-")[-2:]):
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    event = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(event, dict):
                    yield event | {"run": path.stem}
