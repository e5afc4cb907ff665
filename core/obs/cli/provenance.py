"""`obs provenance`: what a result was made from, back to the raw files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from obs.cli.table import format_table
from obs.errors import DataIdError, FileFormatError
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.input_files import InputFile
from obs.repo.made_with import MADE_TOGETHER, find_input, find_record
from obs.repo.result_record import ResultRecord
from obs.runs.results import find_results
from obs.shell_command import shell_command

__all__ = ["provenance"]

_METADATA = "processCcd_metadata"


def provenance(root: Path, dataset_type: str, words: tuple[str, ...], ids: list[list[str]], camera: str | None) -> int:
    """Do what the command says; see obs.cli.commands.provenance."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    kind = butler.mapper.dataset_type(dataset_type).name
    words = (*words, *(word for more in ids for word in more))
    data_id = _find(butler, kind if kind in MADE_TOGETHER else _METADATA, words)
    name = f"{dataset_type} {format_data_id(data_id)}"
    record, place = _record(butler, kind, data_id)
    if record is None:
        raise FileFormatError(
            f"does not say what {name} was made with; make it again with this version of obs", path=place
        )
    if kind not in (*record.outputs, _METADATA):
        made = ", ".join(record.outputs)
        raise DataIdError(f"{format_data_id(data_id)} has no {dataset_type} from obs process; it has {made}")
    click.echo(f"{name}\nobs {record.version}, settings {record.settings[:12]}")
    rows = []
    for depth, item in _walk(butler, record, 0, set()):
        path = find_input(butler, item)
        state = "same" if item.is_intact(path) else "changed" if path.is_file() else "gone"
        rows.append(("  " * depth + item.dataset_type, state, item.sha256[:12], str(path)))
    click.echo(format_table(("input", "state", "sha256", "file"), rows))
    return 0 if all(state == "same" for _, state, *_ in rows) else 1


def _walk(butler: Butler, record: ResultRecord, depth: int, seen: set[str]) -> Iterator[tuple[int, InputFile]]:
    """Yield the inputs of a result, each followed by its own inputs; a file comes once."""
    for item in record.inputs:
        if item.path in seen:
            continue
        seen.add(item.path)
        yield depth, item
        data_id = _identify(butler, item)
        try:
            # The catalog of an exposure has the record of its image.
            below = None if data_id is None else _record(butler, item.dataset_type, data_id)[0]
        except DataIdError:  # a calibration frame is not of one exposure
            below = None
        if below is not None and item.dataset_type in (*below.outputs, _METADATA):
            yield from _walk(butler, below, depth + 1, seen)


def _identify(butler: Butler, item: InputFile) -> DataId | None:
    """Return the data ID of an input of this repository or its parents; None of any other file."""
    kind = butler.policy.dataset_types.get(item.dataset_type)
    for root in butler.roots if kind is not None else ():
        path = find_input(butler, item)
        if kind is None or not path.is_relative_to(root.absolute()):
            continue
        name = path.relative_to(root.absolute()).as_posix()
        for ending in COMPRESSED:
            if name.endswith(ending) and (data_id := kind.parse(name.removesuffix(ending))) is not None:
                return data_id
    return None


def _find(butler: Butler, dataset_type: str, words: tuple[str, ...]) -> DataId:
    """Return the one data ID that some words name."""
    found = find_results(butler, dataset_type, [words])
    if len(found) != 1:
        some = "; ".join(format_data_id(result.data_id) for result in found[:3])
        which = f"{len(found)} results fit: {some}" if found else f"no result of {' '.join(words)}"
        command = shell_command("obs", "ls", butler.root, dataset_type)
        raise DataIdError(f"{which}; name one data ID of {command}")
    return found[0].data_id


def _record(butler: Butler, dataset_type: str, data_id: DataId) -> tuple[ResultRecord | None, Path]:
    """Return the record of a result, None if it has none, and the file that has it or should have it."""
    if dataset_type in MADE_TOGETHER:
        found = find_record(butler, dataset_type, data_id)
        return (None, butler.path(dataset_type, data_id)) if found is None else found
    if not butler.exists(_METADATA, data_id):
        return None, butler.root
    metadata: Any = butler.get(_METADATA, data_id)
    record = ResultRecord.from_metadata(metadata) if isinstance(metadata, dict) else None
    return record, butler.path(_METADATA, data_id)
