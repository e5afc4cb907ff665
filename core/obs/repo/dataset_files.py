"""Where the files of datasets are: in the output, with the calibrations, in the inputs, plain or compressed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs.errors import DatasetNotFoundError, OutputError
from obs.policy.data_id import DataId, format_data_id
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.policy.mapper import Mapper
from obs.repo.file_keys import COMPRESSED
from obs.repo.lineage import Lineage

__all__ = ["DatasetFiles", "not_found"]


@dataclass(frozen=True)
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
    """

    mapper: Mapper
    lineage: Lineage
    calib_root: Path

    def find(
        self, kind: DatasetType, data_id: Mapping[str, Any], *, write: bool = False
    ) -> tuple[Path | None, list[Path]]:
        """Return the file of a dataset, or None, and the places where it was looked for."""
        if write and self.lineage.output is None:
            raise OutputError(
                f"{self.lineage.inputs[0].root} is only read here; name an output with --output or --rerun",
                path=self.lineage.inputs[0].root,
            )
        relative = self.mapper.path(kind.name, data_id)
        if split_hdu(kind.template or "")[1] is not None:
            relative = split_hdu(relative)[0]
        tried = []
        for root in self._places(kind, write=write):
            tried.append(root / relative)
            for ending in COMPRESSED:
                candidate = root / f"{relative}{ending}"
                if candidate.is_file():
                    return candidate, tried
        return None, tried

    def _places(self, kind: DatasetType, *, write: bool) -> Iterator[Path]:
        if self.lineage.output is not None:
            yield self.lineage.output
        if write:
            return
        if kind.is_calibration:
            yield self.calib_root
        yield from (repository.root for repository in self.lineage.inputs)

    def with_hdu(self, kind: DatasetType, data_id: DataId, found: Path) -> str:
        """Return a file that was found, with the ``[hdu]`` tail of its template."""
        if split_hdu(kind.template or "")[1] is None:
            return str(found)
        return f"{found}[{split_hdu(self.mapper.path(kind.name, data_id))[1]}]"


def not_found(name: str, data_id: Mapping[str, Any], tried: Sequence[Path]) -> DatasetNotFoundError:
    """Return the error that says where a dataset was looked for."""
    places = ", ".join(map(str, tried))
    return DatasetNotFoundError(
        f"no {name} for {format_data_id(data_id) or 'no keys'}: looked for {places}",
        dataset_type=name,
        data_id=data_id,
        paths=tried,
    )
