"""Download circles of the sky from a survey into a cache of files."""

import hashlib
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from obs.errors import FileFormatError, OutputError, PluginError
from obs.image.catalog import Catalog, Column
from obs.ingest.surveys.definitions import Survey
from obs.repo.fits_catalog import write_catalog
from obs.sky_vectors import sky_vectors

__all__ = ["Circle", "cache_folder", "download"]

#: Most rows of one circle. A service that gives as many has left rows out.
MOST_ROWS = 3_000_000

#: Seconds until a connection has to stand, and for which a service may send nothing.
SILENCE = (20.0, 120.0)

#: Seconds that an answer may take in all: a service that sends a little again and again would never be silent.
LONGEST = 900.0


class Circle(NamedTuple):
    """A circle on the sky, degrees.

    Parameters
    ----------
    ra, dec : float
        Center, degrees.
    radius : float
        Radius, degrees.
    """

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
    _check_places(table, survey, circle)
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
        import requests  # noqa: PLC0415 - comes with pyvo, as the next
        import urllib3  # noqa: PLC0415
    except ImportError:
        raise PluginError("downloads need pyvo: pip install 'obs-toolkit[vo]'", plugin="pyvo") from None
    mirror = f"name a mirror with --from {survey.name}@URL"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pyvo.dal.DALOverflowWarning)
            session = requests.Session()
            # the service's errors and redirections quote URLs
            session.auth = requests.utils.get_auth_from_url(survey.url) if "@" in survey.url else None
            session.request = partial(session.request, timeout=SILENCE)  # type: ignore[method-assign]
            service = pyvo.dal.TAPService(requests.utils.urldefragauth(survey.url), session=session)
            answer = _in_time(lambda: service.run_sync(query, maxrec=MOST_ROWS).to_table())
    except _TooLongError:
        raise OutputError(
            f"{survey.url} is not through after {LONGEST:g} s. Set --faintest or a smaller --radius, or {mirror}"
        ) from None
    except pyvo.dal.DALOverflowWarning as error:
        raise FileFormatError(
            f"{survey.url} left out objects: {_line(error)}. Set --faintest or a smaller --radius, or {mirror}"
        ) from error
    except (pyvo.dal.DALAccessError, OSError, ValueError) as error:
        # what cannot be parsed and what never came have the same exception, with another cause
        is_parsed = isinstance(error, pyvo.dal.DALFormatError) and not isinstance(
            error.cause, (OSError, urllib3.exceptions.HTTPError)
        )
        what = f"the answer of {survey.url} is not a whole table" if is_parsed else f"{survey.url} does not answer"
        raise OutputError(
            f"{what}: {_reason(error)}. Try again later, {mirror}, or give tables of your own to obs ingest-refcat"
        ) from error
    table = _rename(answer, survey)
    if survey.add_columns is not None and len(table):
        survey.add_columns(table)
    if survey.epoch is not None:
        table.add("ref_epoch", np.full(len(table), survey.epoch), "yr")
    return table


class _TooLongError(Exception):
    """An answer has not come to its end."""


def _in_time(ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - a table of astropy
    """Return an answer, or end the wait for it: a thread that waits for bytes cannot be ended, and is left alone."""
    answers: list[Any] = []
    errors: list[Exception] = []

    def wait() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 - it is raised below, whatever it is
            errors.append(error)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(LONGEST)
    if waiting.is_alive():
        raise _TooLongError
    if errors:
        raise errors[0]
    return answers[0]


def _reason(error: BaseException) -> str:
    """Return why there is no answer: what the system said, without the names of libraries around it."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, socket.gaierror):
            return "the name of this host cannot be looked up (is this machine online?)"
        if isinstance(at, ssl.SSLError):
            return f"no safe connection ({at.reason or 'no reason given'})".replace("_", " ").lower()
        if isinstance(at, OSError) and at.errno and at.strerror:
            return at.strerror.lower()
        if isinstance(at, TimeoutError):
            return "it timed out"
        at = getattr(at, "cause", None) or at.__cause__ or at.__context__
    return _line(error)


def _line(error: BaseException) -> str:
    """Return the message of an error in one line, without its full stop."""
    return " ".join(str(error).split())[:300].rstrip(".")


def _check_places(table: Catalog, survey: Survey, circle: Circle) -> None:
    """Check that the objects of an answer are in the circle that was asked for."""
    columns = []
    for name in (survey.ra, survey.dec):
        found = next((c for c in table.columns if _plain(c) == _plain(survey.columns.get(name, name))), "")
        if not found and not survey.columns:
            return  # all columns of any table, under names of its own
        if not found:
            raise FileFormatError(f"{survey.url}: the column {name} of the answer does not have numbers")
        columns.append(np.asarray(table[found], float))
    ra, dec = columns
    with np.errstate(invalid="ignore"):
        apart = np.linalg.norm(sky_vectors(ra, dec) - sky_vectors(circle.ra, circle.dec), axis=-1)
        is_in = (np.abs(dec) <= 90.0) & (np.abs(ra) <= 360.0) & (apart <= np.radians(circle.radius * 1.01 + 0.01))
    if not is_in.all():
        worst = int(np.argmin(is_in))
        raise FileFormatError(
            f"{survey.url}: {np.count_nonzero(~is_in)} of {len(ra)} objects are not in the circle of {circle.radius:g} "
            f"degrees around ra={circle.ra:g} dec={circle.dec:g}, such as ra={ra[worst]:g} dec={dec[worst]:g}: the "
            "service does not do what it was asked for, or has other units than degrees"
        )


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
