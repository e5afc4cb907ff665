"""Numbers of coadds: tract, patch and filter as the bits of one whole number."""

from collections.abc import Mapping
from typing import Any

from obs.errors import DataIdError
from obs.frozen import frozen
from obs.instrument.instrument import Instrument

__all__ = ["CoaddPacker"]


@frozen
class CoaddPacker:
    """Packs tract, patch and filter into one whole number, as the mapper of a camera does in the LSST stack.

    Parameters
    ----------
    instrument : Instrument
        The camera, which says how many bits each of them has.
    """

    instrument: Instrument

    @property
    def bits(self) -> int:
        """Bits that the numbers need."""
        tract, patch, physical_filter = self.instrument.coadd_id_bits
        return tract + 2 * patch + physical_filter

    def number(self, data_id: Mapping[str, Any], *, has_filter: bool) -> int:
        """Return the number of a patch, or of a patch in a filter.

        Parameters
        ----------
        data_id : mapping
            With the keys ``tract``, ``patch`` ("COLUMN,ROW"), and ``filter`` if the filter counts.
        has_filter : bool
            Whether the filter counts: its place among those of the camera.

        Raises
        ------
        DataIdError
            If a key is missing, cannot be read, or its value has no room.
        """
        tract_bits, patch_bits, filter_bits = self.instrument.coadd_id_bits
        for key in ("tract", "patch", *(("filter",) if has_filter else ())):
            if key not in data_id:
                raise DataIdError(f"the number of a coadd needs the key '{key}'", data_id=data_id, key=key)
        try:
            column, row = (int(part) for part in str(data_id["patch"]).split(","))
            tract = int(data_id["tract"])
        except ValueError:
            raise DataIdError(
                f"tract={data_id['tract']} patch={data_id['patch']}: a tract is a number, a patch is COLUMN,ROW",
                data_id=data_id,
            ) from None
        digits = [("tract", tract, tract_bits), ("patch", column, patch_bits), ("patch", row, patch_bits)]
        if has_filter:
            known = self.instrument.find_filter(str(data_id["filter"]))
            digits.append(("filter", self.instrument.filters.index(known), filter_bits))
        number = 0
        for key, value, bits in digits:
            if not 0 <= value < 1 << bits:
                raise DataIdError(
                    f"{key}={data_id[key]} has no room in the {bits} bits that numbers of coadds have for it",
                    data_id=data_id,
                    key=key,
                )
            number = number << bits | value
        return number
