"""`obs provenance`: what a result was made from."""

from pathlib import Path
from typing import Any

import click

from obs.cli.table import format_table
from obs.errors import DataIdError, FileFormatError
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.repo.formatters import read_dataset
from obs.repo.input_files import InputFile
from obs.repo.result_record import ResultRecord

__all__ = ["provenance"]

_METADATA = "processCcd_metadata"


def provenance(root: Path, dataset_type: str, words: tuple[str, ...], camera: str | None) -> int:
    """Do what the command says; see obs.cli.commands.provenance."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    butler.mapper.dataset_type(dataset_type)
    data_id, place = _find(butler, words)
    kind = butler.mapper.dataset_type(_METADATA)
    metadata: Any = read_dataset(kind.storage, kind.python, place)
    record = ResultRecord.from_metadata(metadata) if isinstance(metadata, dict) else None
    name = f"{dataset_type} {format_data_id(data_id)}"
    if record is None:
        raise FileFormatError(
            f"does not say what {name} was made with; process it again with this version of obs", path=place
        )
    if dataset_type not in (*record.outputs, _METADATA):
        made = ", ".join(record.outputs)
        raise DataIdError(f"{format_data_id(data_id)} has no {dataset_type} from obs process; it has {made}")
    states = [_state(item) for item in record.inputs]
    click.echo(f"{name}\nobs {record.version}, settings {record.settings[:12]}")
    rows = [
        (item.dataset_type, state, item.sha256[:12], item.path)
        for item, state in zip(record.inputs, states, strict=True)
    ]
    click.echo(format_table(("input", "state", "sha256", "file"), rows))
    return 0 if all(state == "same" for state in states) else 1


def _find(butler: Butler, words: tuple[str, ...]) -> tuple[DataId, Path]:
    """Return the one data ID that some words name, and the file of its metadata."""
    kind = butler.mapper.dataset_type(_METADATA)
    wanted = parse_ids(words, butler.mapper.key_types(_METADATA))
    found = find_datasets(butler.roots, [kind], wanted).get(_METADATA, {})
    if len(found) != 1:
        some = "; ".join(list(found)[:3])
        which = f"{len(found)} results fit: {some}" if found else "no result fits"
        raise DataIdError(f"{which}; name one data ID of obs ls {butler.root} {_METADATA}")
    [(name, place)] = found.items()
    return parse_ids(name.split(), butler.mapper.key_types(_METADATA))[0], place


def _state(item: InputFile) -> str:
    if item.is_intact():
        return "same"
    return "changed" if Path(item.path).is_file() else "gone"
