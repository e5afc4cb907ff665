"""Which data IDs exist, as the files' names tell: for a repository without a registry."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, FileFormatError, RepositoryError, suggest
from obs.policy.data_id import DataId
from obs.policy.dataset_type import DatasetType, Template, split_hdu
from obs.repo.fits_file import open_fits

__all__ = ["COMPRESSED", "FileKeys"]

#: What may stand behind the name that the template gives, in the order of trying.
COMPRESSED = ("", ".gz", ".fz")


class FileKeys:
    """Finds data IDs by matching the files of one dataset type with its template.

    Parameters
    ----------
    roots : sequence of Path
        Repositories to look in.
    dataset_type : DatasetType
        Whose files tell, as a rule ``raw``.
    """

    #: A data ID cannot be given with a key that names of files do not have.
    advice = (
        "only a registry gives it, and this repository has none; ingest the files with obs init and obs ingest in "
        "a new folder, or with ingestImages.py of the stack"
    )

    def __init__(self, roots: Sequence[Path], dataset_type: DatasetType) -> None:
        self._roots, self._dataset_type = tuple(roots), dataset_type
        name, hdu = split_hdu(dataset_type.compiled.text)
        self._name_keys = Template(name).keys
        match = re.fullmatch(r"%\((\w+)\)d", hdu or "")
        #: The key that numbers the HDUs of a file, and is not in its name.
        self._number = match[1] if match and match[1] not in self._name_keys else ""

    def has_table(self, table: str) -> bool:
        """Return whether it can replace a table."""
        return table == "raw"

    def columns(self, tables: Sequence[str]) -> Mapping[str, type]:
        """Return the keys of the template and their types.

        Raises
        ------
        RepositoryError
            If a table other than ``raw`` is wanted.
        """
        if not any(self.has_table(table) for table in tables):
            roots = ", ".join(map(str, self._roots))
            raise RepositoryError(f"there is no registry in {roots} that has the table {' or '.join(tables)}")
        return self._dataset_type.compiled.keys if self._number else self._name_keys

    def lookup(
        self,
        columns: Sequence[str],
        where: Mapping[str, Any],
        tables: Sequence[str],
        *,
        between: tuple[Any, str, str] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the distinct values of ``columns`` among the files, sorted; see `obs.policy.mapper.KeySource`.

        Parameters
        ----------
        columns : sequence of str
            Keys to return.
        where : mapping
            Keys and the values that they must have.
        tables : sequence of str
            Tables of the registry that the files replace; only "raw" can be replaced.
        between : tuple, optional
            A value and two keys, between whose values it must be.

        Raises
        ------
        DataIdError
            If the template has no such key.
        """
        known = self.columns(tables)
        for key in (*columns, *where, *(between or ())[1:]):
            if key not in known:
                name = self._dataset_type.name
                raise DataIdError(f"no key '{key}' in the template of {name}{suggest(key, known)}", key=key)
        whole = {key: value for key, value in where.items() if key != self._number}
        ids = self._data_ids(whole)
        if self._number in {*columns, *where, *(between or ())[1:]}:
            numbered = ((path, data_id, _image_hdus(path)) for path, data_id in ids if _fits(data_id, whole, None))
            found: list[DataId] = [
                {**data_id, self._number: number} for _, data_id, numbers in numbered for number in numbers
            ]
        else:
            found = [data_id for _, data_id in ids]
        found = [data_id for data_id in found if _fits(data_id, where, between)]
        return sorted({tuple(data_id[key] for key in columns) for data_id in found if data_id.keys() >= set(columns)})

    def _data_ids(self, where: Mapping[str, Any]) -> list[tuple[Path, DataId]]:
        pattern = self._dataset_type.compiled.glob_pattern(where)
        data_ids = []
        for root in self._roots:
            for ending in COMPRESSED:
                for path in root.glob(pattern + ending):
                    name = path.relative_to(root).as_posix().removesuffix(ending)
                    if (data_id := self._dataset_type.parse(name)) is not None:
                        data_ids.append((path, data_id))
        return data_ids


def _image_hdus(path: Path) -> list[int]:
    """Return the numbers of the HDUs of a file that hold a two-dimensional image; none if it cannot be read."""
    try:
        with open_fits(path) as hdus:
            return [number for number, hdu in enumerate(hdus) if hdu.is_image and len(hdu.shape) >= 2]
    except FileFormatError:
        return []


def _fits(data_id: DataId, where: Mapping[str, Any], between: tuple[Any, str, str] | None) -> bool:
    if any(data_id.get(key) != value for key, value in where.items()):
        return False
    return between is None or data_id[between[1]] <= between[0] <= data_id[between[2]]
