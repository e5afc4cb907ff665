"""Export the results of a field or a night: tables of sources and images, and the images themselves."""

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, OutputError, describe_fault
from obs.exports.results import local_night, parse_night
from obs.exports.table_files import ENDINGS, TableFormat, write_table, write_table_parts
from obs.exports.tables import ImageFacts, as_part, join_catalogs, make_image_table, with_data_id, without_rows
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.ingest.transfer import is_same_file
from obs.policy.data_id import DataId, format_data_id
from obs.regular_file import open_regular
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler
from obs.repo.exposure_parts import read_photo_calib, read_wcs
from obs.repo.fits_exposure_header import read_exposure_header
from obs.repo.layout import is_repository
from obs.runs.results import Result, find_results, warn_of_unmatched
from obs.shell_command import shell_command
from obs.version import __version__

__all__ = ["Exported", "export"]

logger = logging.getLogger(__name__)

_CATALOG, _IMAGE = "src", "calexp"
_SOURCES, _IMAGES = "sources", "images"
_METADATA = {"OBSVERS": __version__, "TIMESYS": "UTC"}


@dataclass
class Exported:
    """What an export has written.

    Parameters
    ----------
    files : list of Path
        The files.
    n_image, n_source : int
        Number of images, and of rows of sources.
    failed : list of (str, str)
        Data IDs that could not be read, each with the reason.

    Examples
    --------
    >>> from obs import export
    >>> export("DATA/rerun/first", "tables", "visit=21", images=False, clobber=True).n_image
    1
    """

    files: list[Path] = field(default_factory=list)
    n_image: int = 0
    n_source: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def export(
    repository: Butler | Path | str,
    folder: Path | str,
    data_ids: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] = (),
    *,
    night: str | None = None,
    format: TableFormat = "fits",
    split: bool = False,
    images: bool = True,
    clobber: bool = False,
) -> Exported:
    """Export results to files that need no repository.

    The folder gets ``sources`` (the catalogs ``src`` with data ID, magnitudes, and times), ``images`` (a row for each
    image: time, seeing, zero point, ...), and copies of the images ``calexp``.

    Parameters
    ----------
    repository : Butler, Path or str
        An output of ``obs process``.
    folder : Path or str
        Where to write; made if it is not there.
    data_ids : str, mapping, or sequence of them, optional
        Data IDs as on the command line or as mappings; the default is everything.
    night : str, optional
        Date such as ``2024-03-01``: only exposures from noon of this day to noon of the next, in mean solar time at
        the observatory.
    format : str, optional
        ``fits``, ``parquet``, ``votable``, ``ecsv`` or ``csv``.
    split : bool, optional
        Write a table of sources for each image, instead of one for all.
    images : bool, optional
        Copy the images.
    clobber : bool, optional
        Replace files that are there.

    Returns
    -------
    Exported

    Raises
    ------
    DataIdError
        If nothing matches.
    OutputError
        If a file is there already, or cannot be written.

    Examples
    --------
    >>> from obs import export, read_catalog
    >>> done = export("DATA/rerun/first", "exported", "visit=21", format="fits", clobber=True)
    >>> sources = read_catalog("exported/sources.fits")
    >>> "base_PsfFlux_mag" in sources and "bjd_tdb" in sources
    True
    """
    butler = repository if isinstance(repository, Butler) else Butler(repository)
    target = Path(folder)
    if target.exists() and (not target.is_dir() or is_repository(target)):
        what = "a repository" if target.is_dir() else "a file"
        raise OutputError(f"{target} is {what}; name a folder for the export", path=target)
    chosen = _choose(butler, [_words(item) for item in _several(data_ids)], night)
    work = _Export(butler, target, format, split=split, images=images, clobber=clobber)
    work.check_free([result for result, _ in chosen])
    return work.run(chosen)


def _choose(butler: Butler, ids: Sequence[Sequence[str]], night: str | None) -> list[tuple[Result, Result | None]]:
    """Return the catalogs that are exported, each with its image.

    Raises
    ------
    DataIdError
        If there are none.
    """
    wanted = None if night is None else parse_night(night)
    results = find_results(butler, _CATALOG, ids)
    if not results:
        asked = "; ".join(" ".join(words) for words in ids) or "anything"
        command = shell_command("obs", "ls", butler.root, _CATALOG)
        raise DataIdError(f"no {_CATALOG} matches {asked} in {butler.root}; {command} lists them")
    warn_of_unmatched(butler, [_CATALOG], ids, [result.data_id for result in results])
    pictures = {format_data_id(result.data_id): result for result in find_results(butler, _IMAGE, ids)}
    pairs = [(result, pictures.get(format_data_id(result.data_id))) for result in results]
    if wanted is None:
        return pairs
    nights = [None if image is None else local_night(read_facts(butler, image).visit_info) for _, image in pairs]
    there = sorted({str(found) for found in nights if found is not None})
    pairs = [pair for pair, found in zip(pairs, nights, strict=True) if found == wanted]
    if not pairs:
        raise DataIdError(f"no result is of the night {night}; nights: {', '.join(there) or 'none with a known time'}")
    return pairs


def read_facts(butler: Butler, image: Result) -> ImageFacts:
    """Return what is known about an image; only its header is read, if the camera has no reader of its own."""
    if butler.instrument.reader(_IMAGE) is None:
        facts = ImageFacts(read_exposure_header(image.path))
        if "AR_HDU" in facts.header:  # the LSST stack attaches them
            facts.photo_calib = read_photo_calib(image.path) or facts.photo_calib
            facts.wcs = read_wcs(image.path) or facts.wcs
        return facts
    exposure: Exposure = butler.get(_IMAGE, image.data_id)
    return ImageFacts.from_exposure(exposure)


class _Export:
    """One run of `export`."""

    def __init__(
        self, butler: Butler, folder: Path, kind: TableFormat, *, split: bool, images: bool, clobber: bool
    ) -> None:
        self.butler, self.folder, self.kind = butler, folder, kind
        self.split, self.images, self.clobber = split, images, clobber
        self.done = Exported()

    def table_path(self, name: str) -> Path:
        """Return the file of a table."""
        return self.folder / f"{name}{ENDINGS[self.kind]}"

    def source_path(self, result: Result) -> Path:
        """Return the file of the sources of one image, if each has its own."""
        name = result.place.as_posix()
        for ending in (".gz", ".fz", ".fits", ".fit", ".parq", ".parquet"):
            name = name.removesuffix(ending)
        return self.table_path(name)

    def check_free(self, results: Sequence[Result]) -> None:
        """Raise an error if a table is there already and must not be replaced."""
        tables = [self.table_path(_IMAGES)]
        tables += [self.source_path(result) for result in results] if self.split else [self.table_path(_SOURCES)]
        there = [path for path in tables if path.exists()]
        if there and not self.clobber:
            raise OutputError(f"{there[0]} is there already; --clobber replaces it", path=there[0])

    def run(self, chosen: Sequence[tuple[Result, Result | None]]) -> Exported:
        """Write everything; what cannot be read is left out and named."""
        rows: list[tuple[DataId, ImageFacts, int, str]] = []
        read: list[tuple[Result, Result | None]] = []
        schemas: list[Catalog] = []
        for result, image in chosen:
            name = format_data_id(result.data_id)
            try:
                catalog, facts = self._read(result, image)
            except OutputError:
                raise
            except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
                self.done.failed.append((name, describe_fault(error, result.path)))
                continue
            copied = self._copy(image) if self.images and image is not None else ""
            if facts is not None:
                rows.append((result.data_id, facts, len(catalog), copied))
            if self.split:
                self._write(catalog, self.source_path(result))
            else:
                read.append((result, image))
                schemas.append(without_rows(catalog))
            self.done.n_image += 1
            self.done.n_source += len(catalog)
        if read:
            self._write_together(read, self._join(schemas))
        if rows:
            self._write(make_image_table(rows), self.table_path(_IMAGES))
        return self.done

    def _read(self, result: Result, image: Result | None, *, again: bool = False) -> tuple[Catalog, ImageFacts | None]:
        name = format_data_id(result.data_id)
        catalog: Catalog = self.butler.get(_CATALOG, result.data_id)
        facts = None if image is None else read_facts(self.butler, image)
        catalog = with_data_id(catalog, result.data_id, facts)
        for text in () if again else _doubts(facts):
            logger.warning("%s: %s", name, text)
        return catalog, facts

    def _write_together(self, read: Sequence[tuple[Result, Result | None]], whole: Catalog) -> None:
        """Write one table of all sources; catalogs are read again, so that one is in memory at a time."""
        path = self.table_path(_SOURCES)
        parts = (as_part(self._read(result, image, again=True)[0], whole) for result, image in read)
        if self.kind == "fits" or self.kind == "parquet":
            whole.metadata |= _METADATA
            write_table_parts(whole, self.done.n_source, parts, path, self.kind)
            self.done.files.append(path)
        else:
            self._write(join_catalogs(list(parts))[0], path)

    def _join(self, catalogs: Sequence[Catalog]) -> Catalog:
        joined, left_out = join_catalogs(catalogs)
        if left_out:
            logger.warning(
                "columns that are not alike in all catalogs are left out: %s; export with --split to keep them",
                ", ".join(left_out),
            )
        return joined

    def _write(self, table: Catalog, path: Path) -> None:
        table.metadata |= _METADATA
        write_table(table, path, self.kind)
        self.done.files.append(path)

    def _copy(self, image: Result) -> str:
        """Copy an image, and return its name in the export."""
        target = self.folder / image.place
        if is_same_file(image.path, target):
            return image.place.as_posix()  # an export that was stopped had come this far
        if target.exists() and not self.clobber:
            raise OutputError(f"{target} is there already; --clobber replaces it", path=target)
        with atomic_write(target) as file, open_regular(image.path) as original:
            shutil.copyfileobj(original, file, 1 << 20)
        self.done.files.append(target)
        return image.place.as_posix()


def _doubts(facts: ImageFacts | None) -> Iterator[str]:
    """Yield what an image does not say, and what that means for its catalog."""
    if facts is None:
        yield f"there is no {_IMAGE}: magnitudes and times are unknown"
        return
    if facts.photo_calib is None:
        yield "no zero point: its magnitudes are unknown"
    if facts.visit_info is None or not (facts.visit_info.date_avg or facts.visit_info.date_begin):
        yield "its header contains no date: times are unknown"


def _several(
    data_ids: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]],
) -> Sequence[str | Mapping[str, Any]]:
    return [data_ids] if isinstance(data_ids, str | Mapping) else data_ids


def _words(data_id: str | Mapping[str, Any]) -> list[str]:
    return data_id.split() if isinstance(data_id, str) else [f"{key}={value}" for key, value in data_id.items()]
