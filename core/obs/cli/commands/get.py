"""`obs get`: one dataset, or a part of it, out of a repository."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import click
import yaml

from obs.cli.arguments import ManyWordsCommand
from obs.cli.options import id_option
from obs.cli.table import format_table
from obs.errors import DataIdError, DatasetNotFoundError, OutputError
from obs.exports.results import Result, find_results
from obs.exports.table_files import format_of, write_table
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler

__all__ = ["get"]

_SHOWN = 5
_EXAMPLE = """\b
Examples:
  obs get DATA/rerun/first src --id visit=903334 ccd=23 -o stars.ecsv
  obs get DATA/rerun/first calexp --id visit=903334 ccd=23 -o image.fits
  obs get DATA/rerun/first processCcd_metadata --id visit=903334 ccd=23
  obs get DATA/rerun/first calexp_visitInfo --id visit=903334 ccd=23
"""


@click.command("get", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="DATASET")
@id_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="File to write the dataset to.")
@click.option("--clobber", is_flag=True, help="Replace the file if it is there already.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
def get(
    root: Path, dataset_type: str, ids: list[list[str]], output: Path | None, clobber: bool, camera: str | None
) -> int:
    """Get the dataset DATASET of one data ID from the repository REPO.

    Without -o it is printed: metadata as YAML, images and catalogs as a summary. With -o it is written to FILE: a
    catalog in the format that the ending of FILE asks for (.fits, .parquet, .vot, .ecsv), everything else as it is. A
    suffix such as _wcs, _visitInfo, _photoCalib, _md or _len asks for a part of the dataset.
    """
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    kind, part = butler.mapper.split(dataset_type)
    found = _find(butler, kind.name, ids)
    if output is not None and output.exists() and not clobber:
        raise OutputError(f"{output} is there already; --clobber replaces it", path=output)
    if output is not None and part:
        raise OutputError(f"{dataset_type} is a part of {kind.name} and is only printed; leave out -o", path=output)
    if output is None or output.suffix.lower() != _ending(found.path):
        value = butler.get(dataset_type, found.data_id)
        if output is None:
            click.echo(_describe(value))
            return 0
        if isinstance(value, Catalog):
            write_table(value, output, format_of(output))
            return 0
    with atomic_write(output) as file, found.path.open("rb") as original:
        shutil.copyfileobj(original, file, 1 << 20)
    return 0


def _ending(path: Path) -> str:
    return path.suffix.lower()


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
    advice = f"obs ls {butler.root} {dataset_type} lists what there is"
    if not found:
        raise DatasetNotFoundError(f"no {dataset_type} matches {asked}; {advice}", dataset_type=dataset_type)
    if len(found) > 1:
        some = "; ".join(format_data_id(result.data_id) for result in found[:3])
        raise DataIdError(f"{asked} matches {len(found)} {dataset_type} ({some}, ...): name one with --id; {advice}")
    return found[0]


def _describe(value: object) -> str:
    """Return a dataset as text: all of it if it is short, else a summary."""
    match value:
        case str():
            return value.rstrip("\n")
        case Mapping():
            return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True).rstrip("\n")
        case Catalog():
            rows = [(name, c.unit, _some(c.data), c.description) for name, c in value.columns.items()]
            return f"{len(value)} rows\n{format_table(('column', 'unit', 'first values', 'description'), rows)}"
        case Exposure():
            facts = {
                "shape": f"{value.shape[1]} x {value.shape[0]} pixels",
                "filter": value.physical_filter,
                "detector": value.detector_name,
                "visit info": value.visit_info,
                "WCS": value.wcs,
                "zero point": None if value.photo_calib is None else f"{value.photo_calib.zero_point:.3f} mag",
                "PSF": None if value.psf is None else type(value.psf).__name__,
            }
            return "\n".join(f"{name}: {fact}" for name, fact in facts.items() if fact)
        case _ if hasattr(value, "shape") and hasattr(value, "dtype"):
            return f"array of shape {value.shape}, {value.dtype}"
        case _:
            return str(value)


def _some(data: object) -> str:
    values = [f"{item:.6g}" if isinstance(item, float) else str(item) for item in list(data)[:_SHOWN]]  # type: ignore[call-overload]
    return " ".join(values)
