"""What a run tells while it runs: on a terminal what each worker does, a line for each data ID elsewhere; on stderr."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from obs.executor.outcome import Outcome, current_data_id
from obs.policy.data_id import format_data_id
from obs.step_log import STEP_LOGGER

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Progress", "show_count", "show_progress"]

#: Workers that are shown at most; more do not fit on a terminal.
_MOST_WORKERS = 12
_BAR_WIDTH = 40
_MINUTE, _HOUR = 60.0, 3600.0


class Progress:
    """Counts finished data IDs and writes a line for each.

    Parameters
    ----------
    total : int
        Number of data IDs.
    write : callable
        Called with each line.
    """

    def __init__(self, total: int, write: Callable[[str], None]) -> None:
        self.total, self.count, self.n_failed, self.write = total, 0, 0, write
        self.started = time.perf_counter()

    def done(self, outcome: Outcome[Any]) -> None:
        """Tell what became of a data ID."""
        self.count += 1
        self.n_failed += not outcome.ok
        end = f"{outcome.seconds:.1f} s" if outcome.ok else f"FAILED: {outcome.error}"
        self.write(f"[{self.count}/{self.total}] {format_data_id(outcome.data_id)}: {end}")

    def summary(self) -> str:
        """Return counts, rate and the time left, in one line."""
        passed = time.perf_counter() - self.started
        words = f"{self.count - self.n_failed} done, {self.n_failed} failed of {self.total}"
        if not self.count:
            return words
        rate = self.count / max(passed, 1e-6)
        return f"{words}; {rate * _MINUTE:.1f} a minute, {format_duration((self.total - self.count) / rate)} left"


class _Steps(logging.Handler):
    """Knows what each worker is doing, from the messages that steps begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.working: dict[str, tuple[str, float, float]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Note the step of a data ID."""
        data_id = getattr(record, "data_id", None) or current_data_id.get()
        if data_id:
            now = time.perf_counter()
            began = self.working.get(data_id, ("", now, now))[1]
            self.working[data_id] = (record.getMessage(), began, now)

    def table(self) -> "Table":
        """Return a row for each worker: data ID, step, seconds."""
        from rich.table import Table  # noqa: PLC0415 - slow to import, and only terminals need it

        table = Table.grid(padding=(0, 2))
        now = time.perf_counter()
        for data_id, (step, began, since) in list(self.working.items())[-_MOST_WORKERS:]:
            table.add_row(f"  {data_id}", step, f"{now - since:.0f} s", f"of {now - began:.0f} s")
        return table


@contextmanager
def show_progress(total: int) -> Iterator[Progress]:
    """Yield the `Progress` of a run over ``total`` data IDs, with a live display below its lines on a terminal."""
    if not sys.stderr.isatty():
        yield Progress(total, lambda line: click.echo(line, err=True))
        return
    from rich.console import Console, Group  # noqa: PLC0415 - slow to import, and only terminals need it
    from rich.live import Live  # noqa: PLC0415 - as above
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    console, steps = Console(stderr=True), _Steps()

    class _Live(Progress):
        def done(self, outcome: Outcome[Any]) -> None:
            steps.working.pop(format_data_id(outcome.data_id), None)
            super().done(outcome)

    def write(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    progress = _Live(total, write)

    def display() -> Group:
        bar = Table.grid()  # a bar alone does not end its line, and the counts behind it were cut off
        bar.add_row(ProgressBar(total=max(total, 1), completed=progress.count, width=min(_BAR_WIDTH, console.width)))
        return Group(bar, Text(progress.summary()), steps.table())

    step_logger = logging.getLogger(STEP_LOGGER)
    before = step_logger.level, step_logger.propagate
    step_logger.addHandler(steps)
    step_logger.setLevel(logging.INFO)
    step_logger.propagate = False
    try:
        with Live(get_renderable=display, console=console, refresh_per_second=4, transient=True):
            yield progress
    finally:
        step_logger.removeHandler(steps)
        step_logger.setLevel(before[0])
        step_logger.propagate = before[1]


def format_duration(seconds: float) -> str:
    """Return a time in the unit that fits, such as ``3 min``."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"


@contextmanager
def show_count(total: int, what: str) -> Iterator[Callable[[], None]]:
    """Yield a function to be called for each of ``total`` things that is done, with a bar on a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich import progress as bars  # noqa: PLC0415 - slow to import, and only terminals need it
    from rich.console import Console  # noqa: PLC0415 - as above

    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn())
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
