"""The images that `obs display` is asked for, wherever they come from."""

import importlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from obs.display.raw_view import view_of_raw
from obs.display.view import View, make_view
from obs.errors import DataIdError, DatasetNotFoundError, ObsError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.psf import PixelPsf
from obs.instrument.instrument import Instrument
from obs.instrument.nominal_wavelengths import nominal_wavelength
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.repo.butler import Butler
from obs.repo.fits_catalog import read_catalog
from obs.repo.formatters import split_hdu
from obs.repo.hdu_roles import HduChoice
from obs.repo.image_file import read_image_file
from obs.repo.layout import is_repository
from obs.runs.results import find_results, warn_of_unmatched
from obs.shell_command import shell_command

__all__ = ["Asked", "Subject", "find_subjects", "other_subject"]

_CATALOG = "src"
_RAW = "raw"
_CATALOGS = {
    "icExp": "icSrc",
    "deepDiff_differenceExp": "deepDiff_diaSrc",
    "deepCoadd": "deepCoadd_meas",
    "deepCoadd_calexp": "deepCoadd_meas",
}

_WRITTEN_BY = {
    "postISRCCD": "obs process -c isr.write=true",
    "deepCoadd_calexp": "obs coadd-catalog",
    "deepDiff_differenceExp": "obs difference",
}
"""Commands for images that obs process and obs coadd alone do not write."""


@frozen
class Subject:
    """An image to draw, and where it is from.

    Parameters
    ----------
    view : View
        The image.
    load_catalog : callable
        Takes the name of a catalog or None, and returns its sources.
    wavelength : float
        Effective wavelength of its filter, nanometers; NaN where not known.
    warnings : tuple of str
        What the user should know.
    """

    view: View
    load_catalog: Callable[[str | None], Catalog]
    wavelength: float = float("nan")
    warnings: tuple[str, ...] = ()


@frozen
class Asked:
    """What a command line asks for.

    Parameters
    ----------
    repository : Path or None
        The repository; None for files.
    dataset_type : str
        Dataset type, perhaps with a suffix.
    ids : list of list of str
        The words of each ``--id``.
    files : tuple of str
        Files, perhaps with the number of an HDU in brackets.
    instrument : Instrument or None
        The camera, if the repository does not record it.
    """

    repository: Path | None = None
    dataset_type: str = ""
    ids: Sequence[Sequence[str]] = ()
    files: tuple[str, ...] = ()
    instrument: Instrument | None = None

    @classmethod
    def from_words(cls, places: Sequence[str], ids: Sequence[Sequence[str]], instrument: Instrument | None) -> "Asked":
        """Read the words of a command line.

        Raises
        ------
        DataIdError
            If they name neither a repository and a dataset type, nor files.
        """
        if not places:
            raise DataIdError("name a repository and a dataset type, such as DATA/rerun/first calexp, or a FITS file")
        if Path(places[0]).is_dir():
            if len(places) != 2:
                raise DataIdError(
                    f"{places[0]} is a folder: name a dataset type after it, such as calexp; "
                    f"{shell_command('obs', 'ls', places[0])} lists them"
                )
            return cls(Path(places[0]), places[1], ids, instrument=instrument)
        if ids:
            raise DataIdError(f"--id names data of a repository, and {places[0]} is not one")
        return cls(files=tuple(places))


def find_subjects(asked: Asked) -> list[Subject]:
    """Return the images that a command line names, in the order of their data IDs.

    Raises
    ------
    DatasetNotFoundError
        If there is none, or it is not an image.
    """
    if asked.repository is None:
        return [_from_file(word) for word in asked.files]
    butler = Butler(asked.repository, instrument=asked.instrument)
    return [_from_repository(butler, asked.dataset_type, data_id) for data_id in _data_ids(butler, asked)]


def other_subject(asked: Asked, word: str) -> Subject:
    """Return an image that a word describes by how it differs from what is asked for.

    Parameters
    ----------
    asked : Asked
        The repository, dataset type and data ID.
    word : str
        A file, another repository or rerun, another dataset type, or keys such as ``visit=1,ccd=2``.

    Raises
    ------
    DatasetNotFoundError
        If the word means none of them.
    DataIdError
        If it names several images.
    """
    path = Path(word)
    if split_hdu(word)[0].is_file():
        return _from_file(word)
    if asked.repository is None:
        raise DatasetNotFoundError(f"--compare: {word} is not a file")
    rerun = asked.repository / "rerun" / word
    if is_repository(path) or is_repository(rerun):
        chosen = path if is_repository(path) else rerun
        found = find_subjects(replace(asked, repository=chosen))
        found = [replace(one, view=replace(one.view, title=f"{one.view.title} ({chosen})")) for one in found]
    elif "=" in word:
        new = word.replace(",", " ").split()
        keys = {item.partition("=")[0] for item in new}
        kept = [[item for item in words if item.partition("=")[0] not in keys] + new for words in asked.ids or [[]]]
        found = find_subjects(replace(asked, ids=kept))
    else:
        found = find_subjects(replace(asked, dataset_type=word))
    if len(found) != 1:
        raise DataIdError(f"--compare: {word} names {len(found)} images, expected one: name more keys with --id")
    return found[0]


def _data_ids(butler: Butler, asked: Asked) -> list[DataId]:
    """Return the data IDs of the images that are there."""
    frames = butler.instrument.raw_dataset_type
    if asked.dataset_type == _RAW != frames:
        raise DatasetNotFoundError(
            f"camera '{butler.instrument.name}' has no {_RAW} frames; its frames are {frames}", dataset_type=_RAW
        )
    kind = butler.mapper.split(asked.dataset_type)[0]
    whole = _direct(butler, kind.name, asked.ids)
    if whole is not None:
        return [whole]
    found = [result.data_id for result in find_results(butler, kind.name, asked.ids)]
    if found:
        warn_of_unmatched(butler, [kind.name], asked.ids, found)
        return found
    words = "; ".join(" ".join(words) for words in asked.ids) or "no --id"
    advice = f"{shell_command('obs', 'ls', butler.root, kind.name)} lists what there is"
    if kind.name in _WRITTEN_BY and not find_results(butler, kind.name, [[]]):
        advice = f"{_WRITTEN_BY[kind.name]} writes it"
    raise DatasetNotFoundError(f"no {kind.name} matches {words}; {advice}", dataset_type=kind.name)


def _direct(butler: Butler, name: str, ids: Sequence[Sequence[str]]) -> DataId | None:
    """Return the data ID if there is one only and the repository completes it, as it does for calibrations."""
    known = butler.id_keys(butler.instrument.raw_dataset_type) | butler.mapper.key_types(name)
    try:
        parsed = [data_id for words in ids for data_id in parse_ids(words, known)]
        if len(parsed) == 1 and butler.exists(name, parsed[0]):
            return parsed[0]
    except (DataIdError, DatasetNotFoundError):
        return None
    return None


def _from_repository(butler: Butler, dataset_type: str, data_id: DataId) -> Subject:
    kind = butler.mapper.split(dataset_type)[0]
    title = f"{dataset_type} {format_data_id(data_id)}"
    physical_filter = ""
    if dataset_type == butler.instrument.raw_dataset_type and butler.instrument.reader(dataset_type) is None:
        whole = butler.complete_raw(data_id)
        detector = butler.instrument.find_detector(whole)
        # imported only here, because signature removal takes longer to import than a calibrated image to be drawn
        get_raw = importlib.import_module("obs.raw_exposure").get_raw
        view = view_of_raw(get_raw(butler, whole, detector), detector, title)
    else:
        thing = butler.get(dataset_type, data_id)
        view = make_view(thing, title, "" if isinstance(thing, PixelPsf) else _unit(butler, data_id))
        if kind.name == "deepCoadd_nImage":
            view = replace(view, quantity="exposures", unit="number", scale="minmax")
        elif kind.name == "flat":  # its header has the unit of the frames that it was made from
            view = replace(view, quantity="response", unit="fraction of the mean")
        elif kind.name == "dark":
            info = getattr(thing, "visit_info", None)
            seconds = info.dark_time if info is not None and math.isfinite(info.dark_time) else 1.0
            view = replace(view, quantity="dark current", unit=f"{view.unit} in {seconds:g} s")
        physical_filter = getattr(thing, "physical_filter", "")

    def load(name: str | None) -> Catalog:
        name = name or _CATALOGS.get(kind.name, _CATALOG)
        if Path(name).is_file():
            return read_catalog(name)
        catalog = butler.get(name, data_id)
        if not isinstance(catalog, Catalog):
            raise DatasetNotFoundError(f"{name} is not a catalog")
        return catalog

    return Subject(view, load, _wavelength(butler.instrument, physical_filter))


def _unit(butler: Butler, data_id: DataId) -> str:
    """Return the unit of the calibrated image, which is that of its background; empty where there is none."""
    try:
        return str(butler.get("calexp_md", data_id).get("BUNIT", "adu"))
    except (ObsError, AttributeError):
        return ""


def _wavelength(instrument: Instrument, physical_filter: str) -> float:
    try:
        known = instrument.find_filter(physical_filter)
    except (LookupError, ValueError):
        return nominal_wavelength(physical_filter)
    return nominal_wavelength(known.band) if math.isnan(known.effective_wavelength) else known.effective_wavelength


def _from_file(word: str) -> Subject:
    path, hdu = split_hdu(word)
    file = read_image_file(path, None if hdu is None else HduChoice(image=hdu))
    view = make_view(file.exposure, path.name if hdu is None else f"{path.name} HDU {hdu}")

    def load(name: str | None) -> Catalog:
        beside = path.parent / re.sub(r"\.fits?(\.gz|\.fz)?$", "", path.name) / f"{name or _CATALOG}.fits"
        catalog = Path(name) if name is not None and Path(name).is_file() else beside
        if not catalog.is_file():
            raise DatasetNotFoundError(f"no catalog {catalog}: name one with --catalog FILE", paths=(catalog,))
        return read_catalog(catalog)

    return Subject(view, load, nominal_wavelength(file.exposure.physical_filter), tuple(file.warnings))
