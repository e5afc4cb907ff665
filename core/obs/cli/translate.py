"""`obs translate`: what a camera's translator makes of headers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from obs.checks.open_package import open_package
from obs.cli.files import find_files
from obs.cli.table import format_table
from obs.errors import ObsError, PluginError
from obs.ingest.translation import read_frames
from obs.instrument.explain import Explained, explain, format_value
from obs.instrument.instrument import Instrument
from obs.instrument.lsst_translator import AstroMetadataTranslator
from obs.instrument.translator import Translator

__all__ = ["translate"]


def translate(words: tuple[str, ...], layout: str, lsst: str | None, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.translate."""
    if lsst is None and len(words) < 2:
        raise click.UsageError("give a camera and at least one file, as in obs translate hsc night1/*.fits")
    files = find_files(words if lsst is not None else words[1:])
    good = True
    found: list[dict[str, Any]] = []
    with _open_translator(words[0], lsst) as (translator, instrument):
        for path in files:
            try:
                frames = [
                    (frame.hdu, explain(translator, frame.header, _number(instrument, frame.row)))
                    for frame in read_frames(path, translator, text=True)
                ]
            except ObsError as error:
                text = str(error).removeprefix(f"{path}: ")
                click.echo(f"{path}: {text}", err=True)
                found.append({"file": str(path), "error": text})
                good = False
                continue
            for hdu, values in frames:
                faults = list(_faults(translator, values))
                for fault in faults:
                    click.echo(f"{path}: {fault}", err=True)
                good = good and not faults
                if layout == "table":
                    click.echo(f"{path}, HDU {hdu}\n{_table(values)}\n")
                else:
                    found.append({"file": str(path), "hdu": hdu, **_plain(values), "errors": faults})
    if layout == "json":
        click.echo(json.dumps(found, indent=1))
    return 0 if good else 1


@contextmanager
def _open_translator(name: str, lsst: str | None) -> Iterator[tuple[Translator, Instrument | None]]:
    if lsst is not None:
        adapter = AstroMetadataTranslator(lsst)
        adapter.check()
        yield adapter, None
        return
    with open_package(name) as package:
        if package.instrument is None:
            raise PluginError("; ".join(map(str, package.problems)), plugin=package.name)
        translator = package.instrument.make_translator()
        _ = translator.fixes  # a fault in the table of wrong headers is the camera's, not that of each file
        yield translator, package.instrument


def _number(instrument: Instrument | None, row: Mapping[str, Any]) -> int | None:
    """Return the number of an exposure; None where the columns do not give it."""
    if instrument is None:
        return None
    try:
        return instrument.exposure_number(row)
    except Exception:  # noqa: BLE001 - a plugin's function can fail in any way, and is not what is asked for here
        return None


def _faults(translator: Translator, values: list[Explained]) -> Iterator[str]:
    for item in values:
        if item.error:
            yield f"{item.name}: {item.error}".replace(f"{item.name}: {item.name}: ", f"{item.name}: ")
        elif item.is_column and item.value is None and item.name in translator.unique:
            yield f"the header does not give {item.name}, which names the exposure"


def _table(values: list[Explained]) -> str:
    rows = [
        (item.name, "not known" if item.value is None else format_value(item.value), item.unit, item.source)
        for item in values
    ]
    n_columns = sum(item.is_column for item in values)
    titles = ("column", "value", "unit", "from"), ("circumstance", "value", "unit", "from")
    return "\n".join(
        format_table(title, part) for title, part in zip(titles, (rows[:n_columns], rows[n_columns:]), strict=True)
    )


def _plain(values: list[Explained]) -> dict[str, Any]:
    columns = {item.name: {"value": item.value, "from": item.source} for item in values if item.is_column}
    info = {
        item.name: {"value": item.value, "unit": item.unit, "from": item.source}
        for item in values
        if not item.is_column
    }
    return {"columns": columns, "visit_info": info}
