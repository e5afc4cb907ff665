"""Get and put datasets by their type and data ID, without knowing where they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.errors import DatasetNotFoundError, OutputError, RepositoryError
from obs.facts_text import facts_html, facts_text
from obs.geom import Box
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.policy.dataset_type import DatasetType, placed_part
from obs.policy.mapper import Mapper
from obs.repo.backup import keep_backup
from obs.repo.camera_datasets import CAMERA_DATASETS
from obs.repo.dataset_files import DatasetFiles
from obs.repo.dataset_reader import STAND_INS, DatasetReader
from obs.repo.filter_names import FILTER_KEYS
from obs.repo.find_instrument import find_instrument
from obs.repo.formatters import write_dataset
from obs.repo.key_sources import KeySources
from obs.repo.lineage import trace
from obs.repo.links_out import check_inside
from obs.repo.lsst_words import accept_lsst_words
from obs.repo.metric_rows import MetricRows, query_metric_table
from obs.repo.metric_table import MetricTable
from obs.repo.output_folder import describe_output
from obs.repo.queries import whole_id
from obs.repo.references import References
from obs.repo.repository_arguments import RepositoryArguments, as_root_and_output
from obs.repo.repository_policies import RepositoryPolicies, with_policies

__all__ = ["Butler"]


class Butler(References):
    """Reads and writes the datasets of a repository.

    Parameters
    ----------
    root : Path or str, optional
        The repository: ours, or one of the second-generation LSST stack. It is never written to.
    output : Path or str, optional
        Folder to write to. It becomes a repository whose parent is ``root``; what it does not hold is read from there.
    rerun : str, optional
        Instead of ``output``: ``OUT`` for ``rerun/OUT`` under the root, or ``IN:OUT``.
    calib : Path or str, optional
        Folder of the calibrations, relative to the root.
    registry : Path or str, optional
        SQLite file or database URL, in place of the repository's own.
    instrument : Instrument, optional
        The camera; the repository names it if absent.
    inputs, outputs : str, Path, mapping or list, optional
        LSST's way of naming repositories, instead of ``root`` and ``output``: folders, or mappings with the key
        ``root`` and perhaps ``mapper``, ``mapperArgs`` and ``policy``. There is one output at most; alone, it is read
        with its parents.

    Raises
    ------
    RepositoryError
        If the root is not a repository, no camera is known for it, or both ways of naming repositories are used.
    OutputError
        If the output is an input, or was made from other inputs.
    PluginError
        If the camera is not installed.
    PolicyError
        If the camera's policy has a fault.

    Examples
    --------
    >>> from obs import Butler
    >>> butler = Butler("DATA")
    >>> butler.query_metadata("raw", "visit")
    [21, 22]
    >>> butler.get("raw", visit=21).metadata["OBJECT"]
    'NGC 2903'
    """

    def __init__(
        self,
        root: Path | str | None = None,
        *,
        output: Path | str | None = None,
        rerun: str | None = None,
        calib: Path | str | None = None,
        registry: Path | str | None = None,
        instrument: Instrument | None = None,
        inputs: Any = None,  # noqa: ANN401 - as the docstring says
        outputs: Any = None,  # noqa: ANN401 - as the docstring says
    ) -> None:
        self._arguments: dict[str, Any] = {"root": root, "output": output, "rerun": rerun, "calib": calib}
        self._arguments |= {"registry": registry, "instrument": instrument, "inputs": inputs, "outputs": outputs}
        if inputs is None and outputs is None:
            if root is None:
                raise RepositoryError("name a repository: Butler('DATA'), or Butler(inputs='DATA')")
            given = [RepositoryArguments(Path(root))]
        else:
            if not (root is None and output is None and rerun is None):
                raise RepositoryError("inputs= and outputs= replace the repository and its output; give only one kind")
            given, output = as_root_and_output(inputs, outputs)
        first, *more = [argument.root for argument in given]
        lineage = trace(first, more=more, output=output, rerun=rerun)
        self._lineage = with_policies(lineage, given)
        self.root = self._lineage.inputs[0].root
        self.output = self._lineage.output
        self.instrument = instrument or find_instrument(self._lineage, given)
        self._check_camera()
        policies = RepositoryPolicies(self._lineage, self.instrument)
        self.policy = policies.first
        calib = calib or next((argument.calib for argument in given if argument.calib), None)
        sources = KeySources(self._lineage.inputs, self.policy, self.instrument, calib=calib, registry=registry)
        self.calib_root = sources.calib_root
        self.mapper = self._make_mapper(sources)
        self._files = DatasetFiles(self.mapper, self._lineage, self.calib_root, policies.mappers(sources))
        self._reader = DatasetReader(self.instrument, self.mapper, self._files)
        self._is_prepared = False

    def _make_mapper(self, sources: KeySources) -> Mapper:
        """Return what completes data IDs; the Butler of scripts has a mapper of its own."""
        return Mapper(
            self.policy,
            registry=sources.registry,
            calib_registry=sources.calib_registry,
            folder_registry=sources.folder_registry,
        )

    def _check_camera(self) -> None:
        camera = self._lineage.camera
        if camera is not None and camera != self.instrument.name:
            raise OutputError(
                f"the output {self.output} is of the camera '{camera}', the input of '{self.instrument.name}'; "
                "name another output",
                path=self.output,
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return _build, (type(self), self._arguments)

    def __repr__(self) -> str:
        return facts_text(f"Butler of {self.root}", self._facts())

    def _repr_html_(self) -> str:
        return facts_html(f"Butler of {self.root}", self._facts())

    def _facts(self) -> dict[str, object]:
        others = [str(root) for root in self.roots if root not in (self.root, self.output)]
        return {
            "camera": self.instrument.name,
            "writes to": self.output or "nothing: name an output or a rerun",
            "reads also": ", ".join(others),
            "calibrations": self.calib_root,
            "data ID keys": ", ".join(self.id_keys(self.instrument.raw_dataset_type)),
        }

    @property
    def roots(self) -> list[Path]:
        """The folders in which datasets are looked for, in this order."""
        return self._files.roots

    # Reading

    @accept_lsst_words
    def get(
        self,
        dataset_type: str,
        data_id: Mapping[str, Any] | None = None,
        *,
        immediate: bool = True,
        bbox: Box | None = None,
        **keys: Any,
    ) -> Any:  # noqa: ANN401 - any dataset
        """Read a dataset, or with a suffix a part of it.

        Parameters
        ----------
        dataset_type : str
            For example ``calexp``, ``calexp_wcs``, ``src_len``.
        data_id : mapping, optional
            Keys and values; missing ones are looked up.
        immediate : bool, default: True
            Known from LSST; datasets are always read at once.
        bbox : Box, optional
            The pixels wanted, for the suffix ``_sub``.
        **keys : object
            Further keys of the data ID.

        Raises
        ------
        DatasetNotFoundError
            If there is no such dataset type, no such data ID, or no file.
        DataIdError
            If the data ID is incomplete and cannot be completed.
        FileFormatError
            If the file cannot be what it should be.
        """
        keys.pop("imageOrigin", None)  # LSST's; positions are always those of the file's own pixels
        keys.pop("flags", None)  # LSST's; footprints are read when somebody asks for them
        whole = whole_id(data_id, keys)
        try:
            return self._reader.get(dataset_type, whole, bbox)
        except DatasetNotFoundError:
            if (renamed := self._renamed(whole)) is None:
                raise
            return self._reader.get(dataset_type, renamed, bbox)

    @accept_lsst_words
    def exists(
        self,
        dataset_type: str,
        data_id: Mapping[str, Any] | None = None,
        *,
        write: bool = False,
        **keys: Any,
    ) -> bool:
        """Return whether a dataset's file is there, also compressed; of a composite, whether all parts are.

        A data ID of which the registry knows nothing has no file. What the camera itself knows, such as
        ``ccdExposureId``, is always there.

        Parameters
        ----------
        dataset_type : str
            A dataset type of the policy, such as "src".
        data_id : mapping, optional
            Key to value; further keys may be given by name.
        write : bool, optional
            Look at the output only, not at its inputs.

        Raises
        ------
        DatasetNotFoundError
            If there is no such dataset type.
        DataIdError
            If the data ID is ambiguous.
        """
        if dataset_type in CAMERA_DATASETS:
            return True
        if dataset_type == "psf" and dataset_type not in self.policy.dataset_types:
            dataset_type = STAND_INS[dataset_type]
        kind = self.mapper.dataset_type(dataset_type)
        whole = whole_id(data_id, keys)
        if kind.components:
            return all(
                self.exists(name, one, write=write)
                for part, name in kind.components.items()
                for one in (self._files.all_of(name, whole) if part in kind.subsets else [whole])
            )
        if self._is_there(kind, whole, write=write):
            return True
        return not write and any(self._is_there(kind, other, write=False) for other in self._by_other_names(whole))

    def _is_there(self, kind: DatasetType, data_id: DataId, *, write: bool) -> bool:
        try:
            return self._files.find(kind, data_id, write=write)[0] is not None
        except DatasetNotFoundError:
            return False

    def exist_each(self, dataset_type: str, data_ids: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Return of many data IDs whether a dataset's file is there, as `exists` does of one.

        Parameters
        ----------
        dataset_type : str
            A dataset type of the policy.
        data_ids : sequence of mapping
            Data IDs, each with all keys of the path.

        Returns
        -------
        list of bool
            One value a data ID, in their order.
        """
        kind = self.mapper.dataset_type(dataset_type)
        if kind.components or dataset_type in STAND_INS:
            return [self.exists(dataset_type, data_id) for data_id in data_ids]
        return self._files.exist_each(kind, data_ids)

    @accept_lsst_words
    def get_uri(
        self,
        dataset_type: str,
        data_id: Mapping[str, Any] | None = None,
        *,
        write: bool = False,
        **keys: Any,
    ) -> str:
        """Return the path of a dataset as text, with the ``[hdu]`` that the policy names.

        Parameters
        ----------
        dataset_type : str
            A dataset type of the policy, such as "src".
        data_id : mapping, optional
            Key to value; further keys may be given by name.
        write : bool, optional
            Return where it would be written.

        Raises
        ------
        DatasetNotFoundError
            If nothing is there and there is no output.
        """
        kind = self._placed(dataset_type)
        return self._files.uri(kind, self._existing(kind, whole_id(data_id, keys), write=write), write=write)

    @accept_lsst_words
    def path(
        self,
        dataset_type: str,
        data_id: Mapping[str, Any] | None = None,
        *,
        write: bool = False,
        **keys: Any,
    ) -> Path:
        """Return the file of a dataset, or where it would be written if there is none yet.

        Parameters
        ----------
        dataset_type : str
            A dataset type of the policy, such as "src".
        data_id : mapping, optional
            Key to value; further keys may be given by name.
        write : bool, optional
            Return where it would be written, also if one of the inputs has it.

        Raises
        ------
        DatasetNotFoundError
            If nothing is there and there is no output.
        """
        kind = self._placed(dataset_type)
        return self._files.path(kind, self._existing(kind, whole_id(data_id, keys), write=write), write=write)

    def _existing(self, kind: DatasetType, data_id: DataId, *, write: bool) -> DataId:
        """Return a data ID by the name that its filter has here, if only by that name there is a file."""
        if write or not any(key in data_id for key in FILTER_KEYS) or self._is_there(kind, data_id, write=False):
            return data_id
        renamed = self._renamed(data_id)
        return data_id if renamed is None or not self._is_there(kind, renamed, write=False) else renamed

    def _placed(self, name: str) -> DatasetType:
        """Return a dataset type; of one that is put together, the part that has its file."""
        kind = self.mapper.dataset_type(name)
        part = None if kind.template else placed_part(kind, self.policy.dataset_types)
        return kind if part is None else self.mapper.dataset_type(part)

    def query_metrics(self, condition: str = "", *, kind: str = "detector") -> MetricRows:
        """Return quality metrics of the output, or else of the root.

        Parameters
        ----------
        condition : str, default: ""
            Such as ``"seeing < 0.9 and filter = 'HSC-I'"``; empty for all.
        kind : str, default: "detector"
            ``detector`` for a row a detector image, ``visit`` for a row a visit, ``master`` for calibration frames.

        Raises
        ------
        RepositoryError
            If nothing was processed there.
        DataIdError
            If the condition cannot be understood.
        """
        folder = self.output or self.root
        if kind == "master" and MetricTable(self.calib_root).exists():
            folder = self.calib_root
        return query_metric_table(folder, condition, kind)

    # Writing

    @accept_lsst_words
    def put(
        self,
        value: object,
        dataset_type: str,
        data_id: Mapping[str, Any] | None = None,
        *,
        do_backup: bool = False,
        **keys: Any,
    ) -> None:
        """Write a dataset to the output, whole or not at all; one that is there is replaced.

        Parameters
        ----------
        value : object
            What to write; for a composite, an object or a mapping with its parts.
        dataset_type : str
            For example "calexp".
        data_id : mapping, optional
            Keys and values; missing ones are looked up.
        **keys : object
            Further keys of the data ID.
        do_backup : bool, default: False
            Keep what is replaced as ``name~1``; also spelled ``doBackup``.

        Raises
        ------
        OutputError
            If there is no output, or it cannot be written.
        DataIdError
            If the data ID is incomplete and cannot be completed.
        """
        do_backup = bool(keys.pop("doBackup", do_backup))
        whole = whole_id(data_id, keys)
        kind, suffix = self.mapper.split(dataset_type)
        if suffix:
            raise OutputError(f"'{dataset_type}' is a part of '{kind.name}' and cannot be written by itself")
        for part, part_type in kind.components.items():
            if part not in kind.input_only:
                part_value = value[part] if isinstance(value, Mapping) else getattr(value, part)
                self.put(part_value, part_type, whole, do_backup=do_backup)
        if kind.components:
            return
        target = self._files.find(kind, whole, write=True)[1][0]
        check_inside(target.parent)
        self.prepare_output()
        if do_backup:
            keep_backup(target)
        write_dataset(kind.storage, value, target)

    @accept_lsst_words
    def remove(self, dataset_type: str, data_id: Mapping[str, Any] | None = None, **keys: Any) -> bool:
        """Remove a dataset from the output; inputs are never changed.

        Parameters
        ----------
        dataset_type : str
            A dataset type of the policy, such as "src".
        data_id : mapping, optional
            Key to value; further keys may be given by name.

        Returns
        -------
        bool
            Whether it was there.

        Raises
        ------
        DatasetNotFoundError
            If there is no such dataset type.
        OutputError
            If it cannot be removed.
        """
        kind = self.mapper.dataset_type(dataset_type)
        whole = whole_id(data_id, keys)
        if kind.components:
            removed = [self.remove(part, whole) for part in kind.components.values()]
            return any(removed)
        is_there = False
        while (found := self._files.find(kind, whole, write=True)[0]) is not None:
            check_inside(found.parent)
            try:
                found.unlink()
            except OSError as error:
                raise OutputError(f"cannot remove {found}: {error.strerror or error}", path=found) from error
            is_there = True
        return is_there

    def prepare_output(self) -> None:
        """Make the output folder and its description, so that a fault shows before the work and not after it.

        Raises
        ------
        OutputError
            If there is no output, or it cannot be written to.
        """
        if self._is_prepared:
            return
        if self.output is None:
            raise OutputError(f"{self.root} is only read here; name an output with --output or --rerun", path=self.root)
        describe_output(self._lineage, self.instrument.name)
        self._is_prepared = True

    # LSST's spellings.
    datasetExists = exists
    getUri = get_uri

    def complete_raw(self, data_id: Mapping[str, Any]) -> DataId:
        """Return a data ID of raw data with all keys that number the exposure and name the detector.

        Keys of the raw template are looked up if they are missing. A camera with one detector may leave its key out of
        the template; then it is looked up too.

        Parameters
        ----------
        data_id : mapping
            Keys and values.

        Raises
        ------
        DatasetNotFoundError
            If the registry has no such raw data.
        DataIdError
            If several match.
        """
        return self._reader.complete_raw(data_id)


def _build(kind: type[Butler], arguments: dict[str, Any]) -> Butler:
    """Make a Butler anew: in another process it opens its own files."""
    return kind(**arguments)
