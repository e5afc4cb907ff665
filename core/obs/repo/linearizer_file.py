"""Linearizers of the LSST stack: a table of amplifiers, or the same as YAML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.repo.fits_file import open_fits
from obs.repo.yaml_fault import YamlFault
from obs.yaml_lines import load_yaml

__all__ = ["AmplifierLinearity", "read_linearizer"]


class AmplifierLinearity(NamedTuple):
    """How counts of one amplifier become proportional to light; see `obs.algorithms.detector.linearity`.

    Parameters
    ----------
    type : str
        Name of the function.
    coefficients : tuple of float
        Its coefficients.
    table : ndarray of float32, shape (n, m), or None
        What a lookup table adds.
    """

    type: str
    coefficients: tuple[float, ...]
    table: NDArray[np.float32] | None = None


def read_linearizer(path: Path | str) -> dict[str, AmplifierLinearity]:
    """Read the linearity of each amplifier, by its name.

    Parameters
    ----------
    path : Path or str
        A FITS file, or YAML.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a linearizer.
    """
    return _read_yaml(path) if Path(path).suffix in (".yaml", ".yml") else _read_fits(path)


def _read_yaml(path: Path | str) -> dict[str, AmplifierLinearity]:
    data, _ = load_yaml(path, error=YamlFault)
    amplifiers = data.get("amplifiers") if isinstance(data, Mapping) else None
    if not isinstance(amplifiers, Mapping):
        raise FileFormatError("is not a linearizer: the key 'amplifiers' is missing", path=path)
    table = data.get("tableData", data.get("lookupTable"))
    shared = None if table is None else np.array(table, np.float32)
    try:
        return {
            str(name): _amplifier(entry["linearityType"], entry["linearityCoeffs"], shared)
            for name, entry in amplifiers.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"is not a linearizer: an amplifier has no key {error}, or it is misspelled", path=path
        ) from None


def _read_fits(path: Path | str) -> dict[str, AmplifierLinearity]:
    with open_fits(path) as hdus:
        tables = [hdu for hdu in hdus if getattr(hdu, "columns", None) is not None and hdu.data is not None]
        names = {column.upper() for column in tables[0].columns.names} if tables else set()
        if not {"AMPLIFIER_NAME", "TYPE", "COEFFS"} <= names:
            raise FileFormatError("is not a linearizer: it has no table with AMPLIFIER_NAME, TYPE and COEFFS")
        lookup = next((hdu.data["LOOKUP_VALUES"] for hdu in tables[1:] if "LOOKUP_VALUES" in hdu.columns.names), None)
        shared = None if lookup is None else np.array(lookup, np.float32)
        rows = tables[0].data
        return {
            str(row["AMPLIFIER_NAME"]).strip(): _amplifier(str(row["TYPE"]).strip(), row["COEFFS"], shared)
            for row in rows
        }


def _amplifier(kind: str, coefficients: Any, table: NDArray[np.float32] | None) -> AmplifierLinearity:  # noqa: ANN401
    values = tuple(float(value) for value in np.ravel(coefficients))
    return AmplifierLinearity(kind, values, table if kind == "LookupTable" else None)
