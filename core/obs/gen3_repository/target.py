"""The third-generation repository that is written to."""

import errno
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsst.daf.butler import Butler as Gen3Butler
from lsst.daf.butler import DatasetRef, DatasetType, FileDataset
from lsst.daf.butler._collection_type import CollectionType
from sqlalchemy.exc import SQLAlchemyError

from obs.errors import ObsError, OutputError
from obs.frozen import frozen
from obs.os_advice import write_advice
from obs.repo.atomic import temporary_path
from obs.repo.sqlite_file import describe_failure

__all__ = ["Gen3Report", "Target", "open_target", "write_faults"]

#: Failures of the disk that every further dataset would have, too.
_OF_ALL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass
class Gen3Report:
    """Numbers of datasets that were exported, and failures.

    Attributes
    ----------
    counts : dict of str to int
        Dataset type to number of datasets.
    n_absent : int
        Raw frames that the registry lists and that have no file.
    left : dict of str to int
        Dataset types that are not exported, and how many datasets each has; files of settings by their path.
    note : str
        What the stack's reader of raw files does not know of the camera; empty if nothing.
    failures : list of str
        Lines about what could not be exported.
    """

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    n_absent: int = 0
    left: dict[str, int] = field(default_factory=dict)
    note: str = ""
    failures: list[str] = field(default_factory=list)


def open_target(out: Path) -> Gen3Butler:
    """Open a repository to write to, made if need be.

    Parameters
    ----------
    out : Path
        Folder of the repository; it must be new, empty or such a repository.

    Raises
    ------
    OutputError
        If the folder holds something else.
    """
    if not (out / "butler.yaml").exists():
        if out.exists() and any(out.iterdir()):
            raise OutputError(f"{out} is not a third-generation repository and not empty; name a new folder", path=out)
        staged = temporary_path(out)
        made = staged / "repository"  # the library takes a name with a point for one of a file
        try:
            staged.mkdir(parents=True)
            Gen3Butler.makeRepo(str(made))
            made.rename(out)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return Gen3Butler.from_config(str(out), writeable=True)


@contextmanager
def write_faults(out: Path) -> Iterator[None]:
    """Let a database of the library, or a disk, that cannot be written be an error of one line.

    Raises
    ------
    OutputError
        If the library's database refuses, or the disk is full or read-only.
    """
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _OF_ALL:
            raise
        why = write_advice(error) if isinstance(error, OSError) else describe_failure(error)
        raise OutputError(
            f"cannot write {out}: {why}; the same command adds later what is missing", path=out
        ) from error


@frozen
class Target:
    """A repository with what its exporters share.

    Attributes
    ----------
    there : Gen3Butler
        The repository.
    name : str
        The camera.
    transfer : str
        How files get there.
    report : Gen3Report
        What was exported.
    """

    there: Gen3Butler
    name: str
    transfer: str
    report: Gen3Report = field(default_factory=Gen3Report)

    def insert(self, records: Mapping[str, list[dict[str, Any]]]) -> None:
        """Insert records of dimensions; those of an earlier export are brought up to date.

        Parameters
        ----------
        records : mapping of str to list of dict
            Element to its records.
        """
        with self.there.transaction():
            for element, rows in records.items():
                for row in rows:
                    self.there.registry.syncDimensionData(element, row, update=True)

    def chain(self, name: str, members: Iterable[str]) -> None:
        """Chain those of some collections that are there.

        Parameters
        ----------
        name : str
            Name of the chain.
        members : iterable of str
            Collections, the preferred one first. Those that do not exist are left out.
        """
        known = set(self.there.registry.queryCollections())
        if found := [member for member in members if member in known]:
            self.there.registry.registerCollection(name, CollectionType.CHAINED)
            self.there.registry.setCollectionChain(name, found)

    def dataset_type(
        self, name: str, dimensions: Iterable[str], storage: str, *, calibration: bool = False
    ) -> DatasetType:
        """Register a dataset type with its dimensions, and return it.

        Parameters
        ----------
        name : str
            Name of the dataset type.
        dimensions : iterable of str
            Its dimensions.
        storage : str
            Its storage class.
        calibration : bool, default: False
            Whether it is chosen by validity.
        """
        kind = DatasetType(name, tuple(dimensions), storage, universe=self.there.dimensions, isCalibration=calibration)
        self.there.registry.registerDatasetType(kind)
        return kind

    def new(self, kind: DatasetType, run: str, **data_id: Any) -> DatasetRef | None:
        """Return the reference of a new dataset; None if the repository has it already.

        Parameters
        ----------
        kind : DatasetType
            Dataset type.
        run : str
            Collection of the run; it is made if it does not exist.
        **data_id : object
            Dimensions and values.
        """
        self.there.registry.registerRun(run)
        coordinate = self.there.registry.expandDataId(data_id, dimensions=kind.dimensions)
        if self.there.find_dataset(kind, coordinate, collections=run) is not None:
            return None
        return DatasetRef(kind, coordinate, run=run)

    def ingest(self, files: Mapping[Path, list[DatasetRef]], formatter: type | str) -> None:
        """Take files as they are.

        Parameters
        ----------
        files : mapping of Path to list of DatasetRef
            File to the datasets in it.
        formatter : type or str
            Class that reads them.
        """
        datasets = [FileDataset(str(path.resolve()), refs, formatter=formatter) for path, refs in files.items()]
        if datasets:
            self.there.ingest(*datasets, transfer=self.transfer)
        for dataset in datasets:
            self.report.counts[dataset.refs[0].datasetType.name] += len(dataset.refs)

    def put(self, value: object, ref: DatasetRef) -> None:
        """Write a dataset in the library's own format.

        Parameters
        ----------
        value : object
            Dataset.
        ref : DatasetRef
            Reference from `new`.
        """
        self.there.put(value, ref)
        self.report.counts[ref.datasetType.name] += 1

    @contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Do something for one dataset; if it cannot be done, say so and go on, unless the disk takes no other either.

        Parameters
        ----------
        what : str
            Name of the dataset, for the report of failures.
        """
        try:
            yield
        except (ObsError, ValueError, KeyError, OSError) as error:
            if isinstance(error, OSError) and error.errno in _OF_ALL:
                raise
            self.report.failures.append(f"{what}: {' '.join(str(error).split())}")
