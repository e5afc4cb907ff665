"""Where the files of datasets are: in the output, with the calibrations, in the inputs, plain or compressed."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, DatasetNotFoundError, OutputError
from obs.frozen import frozen
from obs.policy.data_id import DataId, format_data_id
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.policy.mapper import Mapper
from obs.repo.file_keys import COMPRESSED
from obs.repo.fits_raw import image_hdus
from obs.repo.lineage import Lineage

__all__ = ["DatasetFiles", "not_found"]

#: Places that an error names.
_NAMED = 3


@frozen
class DatasetFiles:
    """Finds the files of a repository and its parents.

    Parameters
    ----------
    mapper : Mapper
        Knows the templates.
    lineage : Lineage
        The output and the inputs.
    calib_root : Path
        Folder of the calibrations.
    own_mappers : mapping of Path to Mapper
        Templates of repositories that have a policy of their own, by their root.
    """

    mapper: Mapper
    lineage: Lineage
    calib_root: Path
    own_mappers: Mapping[Path, Mapper] = field(default_factory=dict)

    @property
    def roots(self) -> list[Path]:
        """The folders in which datasets are looked for, in this order."""
        inputs = [repository.root for repository in self.lineage.inputs]
        return inputs if self.lineage.output is None else [self.lineage.output, *inputs]

    def find(
        self, kind: DatasetType, data_id: Mapping[str, Any], *, write: bool = False
    ) -> tuple[Path | None, list[Path]]:
        """Return the file of a dataset, or None, and the places where it was looked for.

        Parameters
        ----------
        kind : DatasetType
            Dataset type.
        data_id : mapping
            Keys and values.
        write : bool, default: False
            Look at the output only, not at its inputs.

        Raises
        ------
        OutputError
            With ``write``, if the repository has no output.
        """
        if write and self.lineage.output is None:
            raise OutputError(
                f"{self.lineage.inputs[0].root} is only read here; name an output with --output or --rerun",
                path=self.lineage.inputs[0].root,
            )
        relative: dict[int, str] = {}  # by mapper: keys are looked up once, and only where they are needed
        tried = []
        for root in self._places(kind, write=write):
            mapper = self._mapper_at(root)
            if not write and not self._has_template(mapper, kind):
                continue
            if id(mapper) not in relative:
                relative[id(mapper)] = self._relative(mapper, kind, data_id, write=write)
            here = relative[id(mapper)]
            if root / here not in tried:  # a path that leads elsewhere is the same from all roots
                tried.append(root / here)
            for ending in COMPRESSED:
                candidate = root / f"{here}{ending}"
                if candidate.is_file():
                    return candidate, tried
        if not tried:  # no repository has a place for it, which the mapper says
            self._relative(self.mapper, kind, data_id, write=write)
        return None, tried

    @staticmethod
    def _has_template(mapper: Mapper, kind: DatasetType) -> bool:
        known = mapper.policy.dataset_types.get(kind.name)
        return known is not None and bool(known.template)

    def exist_each(self, kind: DatasetType, data_ids: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Return of many data IDs whether there is a file, as `find` does for one.

        Parameters
        ----------
        kind : DatasetType
            Dataset type.
        data_ids : sequence of mapping
            Data IDs.

        Returns
        -------
        list of bool
            In the order of ``data_ids``.
        """
        places = [(str(root), self._mapper_at(root)) for root in self._places(kind, write=False)]
        places = [(root, mapper) for root, mapper in places if self._has_template(mapper, kind)]
        if not places:
            self._relative(self.mapper, kind, next(iter(data_ids), {}), write=False)
        return [any(self._is_there(root, mapper, kind, data_id) for root, mapper in places) for data_id in data_ids]

    def _is_there(self, root: str, mapper: Mapper, kind: DatasetType, data_id: Mapping[str, Any]) -> bool:
        try:
            start = os.path.join(root, self._relative(mapper, kind, data_id, write=False))
        except DatasetNotFoundError:
            return False
        return any(os.path.isfile(start + ending) for ending in COMPRESSED)

    @staticmethod
    def _relative(mapper: Mapper, kind: DatasetType, data_id: Mapping[str, Any], *, write: bool) -> str:
        relative = mapper.path(kind.name, data_id, write=write)
        has_hdu = split_hdu(mapper.dataset_type(kind.name).template or "")[1] is not None
        return split_hdu(relative)[0] if has_hdu else relative

    def _places(self, kind: DatasetType, *, write: bool) -> Iterator[Path]:
        if self.lineage.output is not None:
            yield self.lineage.output
        if write:
            return
        if kind.folder is not None:
            yield kind.folder
            return
        if kind.is_calibration:
            yield self.calib_root
        yield from (repository.root for repository in self.lineage.inputs)

    def all_of(self, name: str, data_id: Mapping[str, Any]) -> list[DataId]:
        """Return every data ID that completes one; where the registry does not number HDUs, one for each image.

        Parameters
        ----------
        name : str
            Dataset type, for example of amplifiers.
        data_id : mapping
            Keys and values.

        Raises
        ------
        DataIdError
            If neither the data ID nor the registry has a key.
        """
        try:
            return self.mapper.all_of(name, data_id)
        except DataIdError as error:
            kind = self.mapper.dataset_type(name)
            number = str(error.key)
            if f"[%({number})d]" not in (kind.template or ""):
                raise
            whole = self.mapper.complete(name, data_id, [key for key in kind.keys if key != number])
            found, tried = self.find(kind, {**whole, number: 1})
            if found is None:
                raise not_found(name, data_id, tried) from error
            return [{**whole, number: hdu} for hdu in image_hdus(found)]

    def kind_of(self, kind: DatasetType, found: Path) -> DatasetType:
        """Return the dataset type as the policy of the repository has it that a file was found in.

        Parameters
        ----------
        kind : DatasetType
            Dataset type in the policy of the first input.
        found : Path
            File that `find` returned.
        """
        return self._mapper_of(kind, found).dataset_type(kind.name)

    def _mapper_of(self, kind: DatasetType, found: Path) -> Mapper:
        roots = [root for root in self._places(kind, write=False) if found.is_relative_to(root)]
        if roots:
            return self._mapper_at(max(roots, key=lambda root: len(root.parts)))
        return self._mapper_at(self.calib_root) if kind.is_calibration else self.mapper  # where a registry says

    def _mapper_at(self, root: Path) -> Mapper:
        """Return the mapper of a repository; that of its calibrations for the folder of those."""
        if root == self.calib_root and root not in self.own_mappers:
            root = next((above for above in root.parents if above in self.own_mappers), root)
        return self.own_mappers.get(root, self.mapper)

    def uri(self, kind: DatasetType, data_id: Mapping[str, Any], *, write: bool = False) -> str:
        """Return the path of a dataset, with its ``[hdu]`` tail; see `path`.

        Parameters
        ----------
        kind : DatasetType
            Dataset type.
        data_id : mapping
            Keys and values.
        write : bool, default: False
            Return the place where it would be written.
        """
        return self.with_hdu(kind, data_id, self.path(kind, data_id, write=write))

    def path(self, kind: DatasetType, data_id: Mapping[str, Any], *, write: bool = False) -> Path:
        """Return the file of a dataset; with ``write``, or if there is none yet, where it would be written.

        Parameters
        ----------
        kind : DatasetType
            Dataset type.
        data_id : mapping
            Keys and values.
        write : bool, default: False
            Return the place where it would be written.

        Raises
        ------
        DatasetNotFoundError
            If nothing is there and there is no output.
        """
        found, tried = self.find(kind, data_id, write=write)
        if found is None and self.lineage.output is None:
            raise not_found(kind.name, data_id, tried)
        return found if found is not None and not write else tried[0]

    def with_hdu(self, kind: DatasetType, data_id: Mapping[str, Any], found: Path) -> str:
        """Return a file that was found, with the ``[hdu]`` tail of its template.

        Parameters
        ----------
        kind : DatasetType
            Dataset type.
        data_id : mapping
            Keys and values, which decide the number of the HDU.
        found : Path
            File that `find` returned.
        """
        mapper = self._mapper_of(kind, found)
        if split_hdu(mapper.dataset_type(kind.name).template or "")[1] is None:
            return str(found)
        return f"{found}[{split_hdu(mapper.path(kind.name, data_id, write=False))[1]}]"

    @staticmethod
    def plain(place: str) -> Path:
        """Return the file of a place that may end in an HDU.

        Parameters
        ----------
        place : str
            Path of a file, with or without the number of an HDU in brackets.
        """
        return Path(split_hdu(place)[0])


def not_found(name: str, data_id: DataId | Mapping[str, Any], tried: Sequence[Path]) -> DatasetNotFoundError:
    """Return the error that says where a dataset was looked for.

    Parameters
    ----------
    name : str
        Name of the dataset type.
    data_id : mapping
        Keys and values.
    tried : sequence of Path
        Places without a file; the message names the first ones.
    """
    more = f" and {len(tried) - _NAMED} more places" if len(tried) > _NAMED + 1 else ""
    places = ", ".join(map(str, tried[:_NAMED] if more else tried)) + more
    return DatasetNotFoundError(
        f"no {name} for {format_data_id(data_id) or 'no keys'}: looked for {places}",
        dataset_type=name,
        data_id=data_id,
        paths=tried,
    )
