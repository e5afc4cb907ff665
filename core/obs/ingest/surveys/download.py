"""Download circles of the sky from a survey into a cache of files."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from obs.errors import FileFormatError, OutputError, PluginError
from obs.image.catalog import Catalog, Column
from obs.ingest.surveys.definitions import Survey
from obs.repo.fits_catalog import write_catalog

__all__ = ["Circle", "cache_folder", "download"]

#: Most rows of one circle. A service that gives as many has left rows out.
MOST_ROWS = 3_000_000


class Circle(NamedTuple):
    """A circle on the sky, degrees."""

    ra: float
    dec: float
    radius: float


def cache_folder() -> Path:
    """Return the folder that downloads are kept in: ``$OBS_CACHE``, else ``obs`` in the user's cache folder."""
    given = os.environ.get("OBS_CACHE")
    if given:
        return Path(given)
    top = os.environ.get("XDG_CACHE_HOME")
    return (Path(top) if top else Path("~/.cache").expanduser()) / "obs"


def download(survey: Survey, circle: Circle, *, faintest: float | None = None, cache: Path | None = None) -> Path:
    """Return the file with the objects of a survey in a circle, downloaded unless it is in the cache.

    Parameters
    ----------
    survey : Survey
        The table.
    circle : Circle
        Where.
    faintest : float, optional
        Faintest magnitude.
    cache : Path, optional
        Folder of downloads; see `cache_folder`.

    Returns
    -------
    Path
        A FITS table with the survey's columns and what was derived from them. Without rows if there are none.

    Raises
    ------
    OutputError
        If the service cannot be reached or refuses, or the file cannot be written.
    FileFormatError
        If the answer is not what was asked for.
    PluginError
        If pyvo is not installed.
    """
    query = survey.query(ra=circle.ra, dec=circle.dec, radius=circle.radius, faintest=faintest)
    key = hashlib.sha256(f"{survey.url}\n{query}".encode()).hexdigest()[:16]
    path = (cache or cache_folder()) / "reference" / f"{survey.name}-{key}.fits"
    if path.is_file():
        return path
    table = _run(survey, query)
    if len(table) >= MOST_ROWS:
        raise FileFormatError(
            f"{survey.url} has more than {MOST_ROWS} objects within {circle.radius:g} degrees of ra={circle.ra:.4f} "
            f"dec={circle.dec:.4f}; set --faintest"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make {path.parent}: {error.strerror}; set OBS_CACHE to a folder", path=path
        ) from None
    write_catalog(table, path)
    return path


def _run(survey: Survey, query: str) -> Catalog:
    """Ask the service, and return its answer under our names."""
    try:
        import pyvo  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise PluginError("downloads need pyvo: pip install 'obs-toolkit[vo]'", plugin="pyvo") from None
    try:
        answer = pyvo.dal.TAPService(survey.url).run_sync(query, maxrec=MOST_ROWS).to_table()
    except (pyvo.dal.DALAccessError, OSError, ValueError) as error:
        text = " ".join(str(error).split())[:300]
        raise OutputError(
            f"{survey.url} does not answer: {text}. Try again later, or name a mirror with --from {survey.name}@URL"
        ) from error
    table = _rename(answer, survey)
    if survey.add_columns is not None and len(table):
        survey.add_columns(table)
    if survey.epoch is not None:
        table.add("ref_epoch", np.full(len(table), survey.epoch), "yr")
    return table


def _rename(answer: Any, survey: Survey) -> Catalog:  # noqa: ANN401 - a table of astropy
    """Return the columns of an answer under the names of the file; masked numbers become NaN."""
    lower = {_plain(name): name for name in answer.colnames}
    wanted: Iterable[tuple[str, str]] = survey.columns.items() or ((name, name) for name in answer.colnames)
    columns = {}
    for column, name in wanted:
        if _plain(column) not in lower:
            raise FileFormatError(f"{survey.url}: the answer has no column {column}, only {', '.join(answer.colnames)}")
        data = answer[lower[_plain(column)]]
        if data.dtype.kind not in "iufb":
            continue  # names and the like, which reference catalogs do not have
        values: Any = np.ma.asarray(data)
        if values.dtype.kind == "f":
            filled = values.filled(np.nan)
        elif np.ma.getmaskarray(values).any():
            filled = values.astype(np.float64).filled(np.nan)
        else:
            filled = values.data
        columns[name] = Column(np.asarray(filled), "" if data.unit is None else str(data.unit))
    return Catalog(columns)


def _plain(name: str) -> str:
    """Return a column's name as all services spell it: without quotes, signs and case."""
    return "".join(letter for letter in name.lower() if letter.isalnum() or letter == "_").replace("_", "")
