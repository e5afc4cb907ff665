"""`obs get`: one dataset, or a part of it, out of a repository."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

import click
import yaml

from obs.cli.table import format_table
from obs.errors import DataIdError, DatasetNotFoundError, FileFormatError, NoReaderError, OutputError
from obs.exports.table_files import choose_table_format, write_table
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.instrument.discovery import load_instrument
from obs.plural import count_of
from obs.policy.data_id import format_data_id
from obs.regular_file import open_regular
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.fits_checksum import checksums_compared
from obs.runs.results import Result, find_results, warn_of_unmatched
from obs.shell_command import shell_command

__all__ = ["get"]

_SHOWN = 5


def get(
    root: Path, dataset_type: str, ids: list[list[str]], output: Path | None, clobber: bool, camera: str | None
) -> int:
    """Do what the command says; see obs.cli.commands.get."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    kind, part = butler.mapper.split(dataset_type)
    found = _find(butler, kind.name, ids)
    if output is not None and output.exists() and not clobber:
        raise OutputError(f"{output} is there already; --clobber replaces it", path=output)
    if output is not None and part:
        raise OutputError(f"{dataset_type} is a part of {kind.name} and is only printed; leave out -o", path=output)
    value = (
        butler.get(dataset_type, found.data_id) if output is None or _ending(output) != _ending(found.path) else None
    )
    if output is None:
        click.echo(_describe(value))
        return 0
    if isinstance(value, Catalog):
        write_table(value, output, choose_table_format(output))
        return 0
    if value is not None:
        raise OutputError(
            f"{kind.name} is written as it is stored: let the name of the file end in {_ending(found.path)}",
            path=output,
        )
    damage, unread = _damage(butler, dataset_type, found)
    with atomic_write(output) as file, open_regular(found.path) as original:
        shutil.copyfileobj(original, file, 1 << 20)
    if damage:
        click.echo(f"{output} is a copy of a damaged file: {damage}", err=True)
    elif unread:
        click.echo(f"{output} is a copy that was not looked into: {unread}", err=True)
    return 1 if damage else 0


def _damage(butler: Butler, dataset_type: str, found: Result) -> tuple[str, str]:
    """Return what is wrong with a file that is copied, and why it was not read; files with a checksum are compared."""
    try:
        with checksums_compared(True):
            butler.get(dataset_type, found.data_id)
    except NoReaderError as error:
        return "", str(error)
    except FileFormatError as error:
        return str(error), ""
    return "", ""


def _ending(path: Path) -> str:
    """Return the ending of a name, with that of a compressed file."""
    endings = path.suffixes[-2:] if path.suffix in COMPRESSED else path.suffixes[-1:]
    return "".join(endings).lower()


def _find(butler: Butler, dataset_type: str, ids: list[list[str]]) -> Result:
    """Return the one dataset that the data IDs name; those of the calibrations count, too.

    Raises
    ------
    DataIdError
        If they name several.
    DatasetNotFoundError
        If they name none.
    """
    found = find_results(butler, dataset_type, ids)
    asked = "; ".join(" ".join(words) for words in ids) or "no --id"
    advice = f"{shell_command('obs', 'ls', butler.root, dataset_type)} lists what there is"
    if not found:
        raise DatasetNotFoundError(f"no {dataset_type} matches {asked}; {advice}", dataset_type=dataset_type)
    if len(found) > 1:
        some = "; ".join(format_data_id(result.data_id) for result in found[:3])
        raise DataIdError(f"{asked} matches {len(found)} {dataset_type} ({some}, ...): name one with --id; {advice}")
    warn_of_unmatched(butler, [dataset_type], ids, [found[0].data_id])
    return found[0]


def _describe(value: object) -> str:
    """Return a dataset as text: all of it if it is short, else a summary."""
    match value:
        case str():
            return value.rstrip("\n")
        case Mapping() if any(_is_image(part) for part in value.values()):  # a composite, by the names of its parts
            return "\n".join(f"{name}:\n{indent(_describe(part), '  ')}" for name, part in value.items())
        case [*parts] if any(_is_image(part) for part in parts):
            return "\n".join(map(_describe, parts))
        case Mapping():
            return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True).rstrip("\n")
        case Catalog():
            rows = [(name, c.unit, _some(c.data), c.description) for name, c in value.columns.items()]
            table = format_table(("column", "unit", "first values", "description"), rows)
            return f"{count_of(len(value), 'row')}\n{table}"
        case Exposure():
            return repr(value)
        case _ if hasattr(value, "shape") and hasattr(value, "dtype"):
            return f"array of shape {value.shape}, {value.dtype}"
        case _:
            return str(value)


def _is_image(part: object) -> bool:
    """Return whether a part of a dataset is an exposure or several of them."""
    return isinstance(part, Exposure) or (isinstance(part, list) and any(_is_image(one) for one in part))


def _some(data: object) -> str:
    values = [f"{item:.6g}" if isinstance(item, float) else str(item) for item in list(data)[:_SHOWN]]  # type: ignore[call-overload]
    return " ".join(values)
