"""What a run tells while it runs: a bar on a terminal, a line for each data ID elsewhere; all on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from obs.executor.outcome import Outcome
from obs.policy.data_id import format_data_id

__all__ = ["Progress", "show_count", "show_progress"]


class Progress:
    """Counts finished data IDs and writes a line for each.

    Parameters
    ----------
    total
        Number of data IDs.
    write
        Called with each line.
    """

    def __init__(self, total: int, write: Callable[[str], None]) -> None:
        self.total, self.count, self.write = total, 0, write

    def done(self, outcome: Outcome[Any]) -> None:
        """Tell what became of a data ID."""
        self.count += 1
        end = f"{outcome.seconds:.1f} s" if outcome.ok else f"FAILED: {outcome.error}"
        self.write(f"[{self.count}/{self.total}] {format_data_id(outcome.data_id)}: {end}")


@contextmanager
def show_progress(total: int) -> Iterator[Progress]:
    """Yield the `Progress` of a run over ``total`` data IDs, with a bar below it on a terminal."""
    if not sys.stderr.isatty():
        yield Progress(total, lambda line: click.echo(line, err=True))
        return
    from rich import progress as bars  # noqa: PLC0415 - slow to import, and only terminals need it
    from rich.console import Console  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn())
    with bars.Progress(*columns, bars.TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("processing", total=total)

        def write(line: str) -> None:
            console.print(line, markup=False, highlight=False, soft_wrap=True)

        class _WithBar(Progress):
            def done(self, outcome: Outcome[Any]) -> None:
                super().done(outcome)
                bar.advance(task)

        yield _WithBar(total, write)


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
