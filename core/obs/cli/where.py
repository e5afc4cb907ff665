"""`obs where`: the files of datasets."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.options import id_option
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import parse_ids
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.runs.selection import check_filters

__all__ = ["where"]

_EXAMPLE = """\b
Examples:
  obs where DATA/rerun/test src --id visit=903334 ccd=23
  ds9 $(obs where DATA/rerun/test calexp --id visit=903334)
"""


@click.command("where", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="DATASET")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@id_option
def where(root: Path, dataset_type: str, camera: str | None, ids: list[list[str]]) -> int:
    """Print the files of the dataset type DATASET in the repository REPO, one a line.

    A file that the repository has from its parents counts, too. The exit status is 1 if there is none.
    """
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    kind = butler.mapper.dataset_type(dataset_type)
    wanted = [data_id for words in ids for data_id in parse_ids(words, butler.mapper.key_types(dataset_type))]
    for data_id in wanted:
        check_filters(butler.instrument, data_id)
    found = find_datasets([*butler.roots, butler.calib_root], [kind], wanted).get(kind.name, {})
    if not found:
        click.echo(f"no {dataset_type} in {root} that fits; obs ls {root} {dataset_type} lists what there is", err=True)
        return 1
    for path in found.values():
        click.echo(str(path))
    return 0
