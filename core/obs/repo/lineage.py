"""Which repositories a run reads, and which one it writes: ``--output`` and ``--rerun [IN:]OUT``."""

from collections.abc import Sequence
from pathlib import Path

from obs.errors import OutputError
from obs.frozen import frozen
from obs.repo.layout import Repository, is_repository, open_repository, plain_folder, repositories_with_parents

__all__ = ["Lineage", "trace"]


@frozen
class Lineage:
    """The repositories of one run.

    Parameters
    ----------
    inputs : tuple of Repository
        Repositories to read, in the order of looking, without the output.
    output : Path or None
        The folder to write to; it need not exist yet.
    parents : tuple of Path
        What the output is made from.
    is_new : bool
        Whether the output has no description yet.
    camera : str or None
        The camera of an output that exists.
    """

    inputs: tuple[Repository, ...]
    output: Path | None = None
    parents: tuple[Path, ...] = ()
    is_new: bool = False
    camera: str | None = None


def trace(
    root: Path | str,
    *,
    more: Sequence[Path | str] = (),
    output: Path | str | None = None,
    rerun: str | None = None,
) -> Lineage:
    """Find the repositories of a run; nothing is written.

    Parameters
    ----------
    root : Path or str
        The repository to read.
    more : sequence of Path or str, optional
        Further repositories to read, after it.
    output : Path or str, optional
        The folder to write to.
    rerun : str, optional
        Instead of ``output``: ``OUT`` writes to ``rerun/OUT`` under the root, ``IN:OUT`` also reads ``rerun/IN`` first.
        An absolute path stands for itself.

    Raises
    ------
    RepositoryError
        If the root is not a repository.
    OutputError
        If the output is an input, was made from other inputs, or is not ours to write.
    """
    top = open_repository(root).root
    if output is not None and rerun is not None:
        raise OutputError("--output and --rerun name the output both; give one of them")
    if output is None and rerun is None:
        return Lineage(tuple(repositories_with_parents([top, *map(Path, more)])))
    given: Path | None = top
    if rerun is not None:
        source, target = _split_rerun(rerun)
        folder = top / "rerun" / target
        given = None if source is None else (top / "rerun" / source).resolve()
    else:
        folder = plain_folder(output or "")
    folder = folder.resolve()
    recorded = _recorded(folder)
    named = (given or top, *(open_repository(folder).root for folder in more))
    wanted = recorded.parents if given is None and recorded is not None else named
    inputs = [repository for repository in repositories_with_parents(wanted) if repository.root != folder]
    _check(folder, recorded, wanted, inputs, top)
    return Lineage(
        tuple(inputs), folder, tuple(wanted), recorded is None, None if recorded is None else recorded.camera
    )


def _split_rerun(rerun: str) -> tuple[str | None, str]:
    parts = rerun.split(":")
    if len(parts) > 2 or not all(parts):
        raise OutputError(f"--rerun takes OUT or IN:OUT, got '{rerun}'")
    return (parts[0] if len(parts) == 2 else None), parts[-1]


def _recorded(folder: Path) -> Repository | None:
    """Return the description of an output that exists."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"the output {folder} is a file; name a folder", path=folder)
    if not is_repository(folder):
        return None
    repository = open_repository(folder)
    if not repository.is_own:
        raise OutputError(
            f"the output {folder} is a repository of another program, which is only read; name another folder",
            path=folder,
        )
    return repository


def _check(
    folder: Path, recorded: Repository | None, wanted: Sequence[Path], inputs: Sequence[Repository], top: Path
) -> None:
    if folder == top or folder in wanted:
        raise OutputError(
            f"the output {folder} is the input itself, which is only read; name another folder", path=folder
        )
    if recorded is None:
        if any(folder == repository.root for repository in inputs):
            raise OutputError(f"the output {folder} is one of the inputs; name another folder", path=folder)
        return
    if recorded.parents != tuple(wanted):
        made_from = ", ".join(map(str, recorded.parents)) or "nothing"
        raise OutputError(
            f"the output {folder} was made from {made_from}, not from {', '.join(map(str, wanted))}; "
            "name the same input or another output",
            path=folder,
        )
    if top not in {repository.root for repository in inputs}:
        made_from = ", ".join(str(repository.root) for repository in inputs)
        raise OutputError(f"the output {folder} was made from {made_from}, not from {top}", path=folder)
