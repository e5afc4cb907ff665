"""Translate lines of `butler`, of the third generation of the LSST stack, into those of obs."""

from collections.abc import Sequence

import click

from obs.cli.lsst_gen3_query import query_ids
from obs.errors import ObsError
from obs.instrument.discovery import discover, instrument_for_mapper

__all__ = ["translate_butler"]

_MODES = {"auto": "link", "link": "link", "symlink": "link", "hardlink": "link", "relsymlink": "link", "direct": "link"}
#: Subcommands of butler that have nothing to do here, or another way, and what that is.
_BUTLER_REASONS = {
    "create": "obs init REPO --camera NAME makes a repository and registers its camera; obs cameras lists the names",
    "define-visits": "nothing is to be done: obs ingest registers visits",
    "write-curated-calibrations": "nothing is to be done for tables of the camera's package; obs calibs defects adds",
    "certify-calibrations": "nothing is to be done: obs calibs build registers what it makes, for --validity DAYS",
    "register-dataset-type": "nothing is to be done: dataset types are those of the camera's policy",
    "register-skymap": "use obs skymap make REPO TYPE -c NAME=VALUE, as in obs skymap make DATA rings -c numRings=120",
    "ingest-files": "use obs ingest REPO --from-butler DIR for a whole repository, or obs ingest-refcat for a catalog",
    "import": "use obs ingest REPO --from-butler DIR, which takes raw frames, calibrations and results",
    "export-calibs": "use obs export-gen3 REPO OUT, which writes calibrations with their validity",
    "collection-chain": "outputs are folders with parents here: --rerun IN:OUT reads from IN and writes to OUT",
    "associate": "outputs are folders here; select data IDs with --id",
    "remove-runs": "an output is a folder: remove REPO/rerun/NAME",
    "remove-collections": "an output is a folder: remove REPO/rerun/NAME",
    "prune-collection": "an output is a folder: remove REPO/rerun/NAME",
    "config-dump": "use obs info REPO",
    "config-validate": "use obs verify REPO",
    "prune-datasets": "an output is a folder: remove REPO/rerun/NAME, or files in it",
    "retrieve-artifacts": "results are plain files: obs ls REPO TYPE lists them, obs export copies them",
    "transfer-datasets": "use obs export-gen3 REPO OUT and obs ingest REPO --from-butler DIR",
}
#: Those that list what is there, and what of the dimension they are asked for is listed.
_LISTS = ("query-datasets", "query-dataset-types", "query-collections", "query-data-ids", "query-dimension-records")


def translate_butler(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Translate a line of butler, to the words behind ``obs`` and notes; see `obs.cli.lsst_pipetask_lines`."""
    action, rest = (words[0], list(words[1:])) if words else ("", [])
    if action == "register-instrument":
        return _register(rest)
    if action == "ingest-raws":
        return _ingest(rest)
    if action == "convert":
        return _convert(rest)
    if action in _LISTS:
        return _list(action, rest)
    reason = _BUTLER_REASONS.get(action)
    if reason is None:
        known = ", ".join(["register-instrument", "ingest-raws", "convert", *_LISTS])
        raise click.UsageError(f"butler {action} cannot be translated; {known} can")
    raise click.UsageError(f"butler {action}: {reason}")


def _take(words: list[str], *names: str) -> str:
    """Take an option with its value out of words, and return the value; empty if it is not there."""
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in names:
            end = place + 1 if equals else place + 2
            found = value if equals else " ".join(words[place + 1 : end])
            del words[place:end]
            return found
    return ""


def _register(words: list[str]) -> tuple[list[str], list[str]]:
    plain = [word for word in words if not word.startswith("-")]
    names = sorted(discover().instruments)
    what = plain[1] if len(plain) > 1 else "no camera"
    short = what.rpartition(".")[2].lower()
    camera = short if short in names else ""
    try:
        camera = camera or instrument_for_mapper(what).name
    except ObsError:
        raise click.UsageError(
            f"butler register-instrument with {what}: use obs init REPO --camera NAME; NAME is one of "
            f"{', '.join(names)}, or of a package that obs new makes"
        ) from None
    return ["init", plain[0], "--camera", camera], []


def _ingest(words: list[str]) -> tuple[list[str], list[str]]:
    rest = list(words)
    mode = _take(rest, "-t", "--transfer") or "auto"
    processes = _take(rest, "-j", "--processes")
    notes = [f"{name} is left out: obs ingest has no such option" for name in ("--regex", "--output-run", "--config",
             "-c", "--config-file", "-C", "--ingest-task") if _take(rest, name)]  # fmt: skip
    flags = [word for word in rest if word.startswith("-")]
    notes += [f"{flag} is left out: a bad file stops nothing, and is named at the end" for flag in flags]
    if mode == "direct":
        notes.append("--transfer direct: files are linked, and stay where they are")
    plain = [word for word in rest if not word.startswith("-")]
    result = ["ingest", *plain, "--mode", _MODES.get(mode, mode)]
    return [*result, "-j", processes] if processes else result, notes


def _convert(words: list[str]) -> tuple[list[str], list[str]]:
    rest = list(words)
    old = _take(rest, "--gen2root")
    for name in ("-C", "--config-file", "--calibs", "-t", "--transfer", "--reruns", "-i", "--instrument-class"):
        _take(rest, name)
    plain = [word for word in rest if not word.startswith("-")]
    if not (old and plain):
        raise click.UsageError("butler convert: use obs export-gen3 DATA OUT")
    return ["export-gen3", old, plain[0]], ["settings of the conversion are left out: everything is written"]


def _list(action: str, words: list[str]) -> tuple[list[str], list[str]]:
    rest = list(words)
    notes = []
    if collections := _take(rest, "--collections"):
        notes.append(f"--collections {collections} is left out: name the output as the repository, REPO/rerun/NAME")
    query = _take(rest, "--where")
    plain = [word.strip("'\"") for word in rest if not word.startswith("-")]
    if not plain:
        raise click.UsageError(f"butler {action}: name the repository, as in obs ls REPO")
    kinds = [word for word in plain[1:] if not set(word) & set("*?")]
    if action in ("query-data-ids", "query-dimension-records"):
        kinds = ["raw"]
    result = ["ls", plain[0], *(kinds[:1] if action != "query-collections" else [])]
    return (result + query_ids(query, plain[0], ("ls",), notes) if query and kinds else result), notes
