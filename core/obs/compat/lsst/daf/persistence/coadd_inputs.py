"""The exposures of a coadd made by obs, as the stack attaches those of its coadds."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from obs.errors import DataIdError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.instrument.instrument import Instrument
from obs.repo.lsst_objects.exposure_records import CoaddInputs

__all__ = ["OwnCoaddInputs"]

#: Name of what is attached, as exposures of the stack have it.
_NAME = "coaddInputs"
#: Columns of the table that are copied: what follows them belongs to the PSF.
_COPIED = ("weight", "zero_point", "seeing", "wcs")


@frozen
class OwnCoaddInputs(Mapping[str, CoaddInputs]):
    """Makes the tables of the stack when they are asked for.

    Parameters
    ----------
    read : callable
        Reads the table ``deepCoadd_inputs``.
    instrument : Instrument
        The camera.
    """

    read: Callable[[], Catalog]
    instrument: Instrument

    def __getitem__(self, name: str) -> CoaddInputs:
        if name != _NAME:
            raise KeyError(name)
        table = self.read()
        names = list(table.columns)
        keys = names[: names.index("weight")]
        data_ids = [{key: table[key][row].item() for key in keys} for row in range(len(table))]
        ccds, visits = Catalog(), Catalog()
        ids = np.array([self._number(data_id) for data_id in data_ids], np.int64)
        ccds.add("id", ids, "", "number of the exposure")
        for name in (*keys, *_COPIED):
            column = table.columns[name]
            ccds.add(name, column.data, column.unit, column.description)
        for axis in "xy":
            ccds.add(f"bbox_min_{axis}", np.zeros(len(table), np.int32), "pix", "first pixel of the exposure")
            last = np.asarray(table[f"n{axis}"] - 1, np.int32)
            ccds.add(f"bbox_max_{axis}", last, "pix", "last pixel of the exposure")
        key = "visit" if "visit" in keys else keys[0]
        found, first, number = np.unique(table[key], return_index=True, return_inverse=True)
        numbers = found if found.dtype.kind in "iu" else ids[first]
        visits.add("id", np.asarray(numbers, np.int64), "", "number of the visit")
        visits.add("weight", np.bincount(number, table["weight"]), "", "sum of the weights of its detectors")
        return CoaddInputs(visits, ccds)

    def _number(self, data_id: Mapping[str, object]) -> int:
        try:
            return self.instrument.exposure_number(dict(data_id))
        except (DataIdError, KeyError):
            return 0

    def __iter__(self) -> Iterator[str]:
        return iter([_NAME])

    def __len__(self) -> int:
        return 1
