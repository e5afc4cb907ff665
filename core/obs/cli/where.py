"""`obs where`: the files of datasets."""

from pathlib import Path

import click

from obs.instrument.discovery import load_instrument
from obs.policy.data_id import parse_ids
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.runs.selection import check_filters

__all__ = ["where"]


def where(root: Path, dataset_type: str, camera: str | None, ids: list[list[str]]) -> int:
    """Do what the command says; see obs.cli.commands.where."""
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
