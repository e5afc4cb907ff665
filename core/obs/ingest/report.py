"""What became of every file that was to be ingested."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from obs.frozen import frozen
from obs.plural import count_of

__all__ = ["ALREADY", "HOLDS_TABLE", "HOLDS_TRUTH", "FileReport", "IngestReport", "Status"]

Status = Literal["ingested", "skipped", "failed"]

#: Reason for which a file is skipped that was ingested before.
ALREADY = "already ingested"
#: Reasons to leave out files that are not exposures, such as the truth of `obs simulate`.
HOLDS_TABLE = "holds a table and no image; a reference catalog goes to obs ingest-refcat"
HOLDS_TRUTH = "holds what a simulated exposure was made from"


@frozen
class FileReport:
    """What became of one file.

    Parameters
    ----------
    path : Path
        The file as the user named it.
    status : {"ingested", "skipped", "failed"}
        Whether it is in the repository now, was left out on purpose, or could not be taken.
    reason : str
        Why it was not ingested.
    targets : tuple of Path
        Where it is, or would be, in the repository: at one place, or at one for each detector that it holds.
    data_ids : tuple of dict
        What it holds, one data ID for each row of the registry.
    warnings : tuple of str
        What the user should know of it all the same.
    """

    path: Path
    status: Status
    reason: str = ""
    targets: tuple[Path, ...] = ()
    data_ids: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()


@frozen
class IngestReport:
    """What became of all files.

    Parameters
    ----------
    files : sequence of FileReport
        One for each file, in the order in which they were named.
    dry_run : bool
        Whether nothing was done in fact.
    """

    files: Sequence[FileReport] = field(default_factory=list)
    dry_run: bool = False

    def count(self, status: Status) -> int:
        """Return how many files have a status."""
        return Counter(file.status for file in self.files)[status]

    @property
    def ok(self) -> bool:
        """Whether all files were ingested or skipped, and not all of them because they hold no image."""
        return not self.count("failed") and not (
            self.files and all(file.reason in (HOLDS_TABLE, HOLDS_TRUTH) for file in self.files)
        )

    def lines(self, *, silent: Sequence[str] = ()) -> Iterator[str]:
        """Yield a line for each file that failed, reason to skip files, and warning; then the numbers.

        Parameters
        ----------
        silent : sequence of str, optional
            Reasons for which skipped files are counted but not listed.
        """
        warned: dict[str, list[Path]] = {}
        for file in self.files:
            for warning in file.warnings:
                warned.setdefault(warning, []).append(file.path)
        for warning, paths in warned.items():
            more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
            yield f"WARNING {paths[0]}{more}: {warning}"
        skipped: dict[str, list[Path]] = {}
        for file in self.files:
            if file.status == "skipped" and file.reason not in silent:
                skipped.setdefault(file.reason, []).append(file.path)
        for reason, paths in skipped.items():
            more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
            yield f"skipped {paths[0]}{more}: {reason}"
        for file in self.files:
            if file.status == "failed":
                yield f"FAILED {file.path}: {file.reason}"
        verb = "would be ingested" if self.dry_run else "ingested"
        ingested = [file for file in self.files if file.status == "ingested"]
        frames = {file.targets for file in ingested}
        together = f" (put together to {len(frames)})" if 0 < len(frames) < len(ingested) else ""
        numbers = f"{len(ingested)} {verb}{together}, {self.count('skipped')} skipped, {self.count('failed')} failed"
        yield f"{count_of(len(self.files), 'file')}: {numbers}"
