"""Bands of the filters that files have, as a person gives them."""

from collections.abc import Sequence

from obs.errors import ConfigError

__all__ = ["gives_bands", "with_bands"]


def gives_bands(text: str) -> bool:
    """Whether an answer on filters gives bands, such as ``2=V, 3=R``.

    Parameters
    ----------
    text : str
        The answer.
    """
    return "=" in text


def with_bands(filters: Sequence[dict[str, str]], text: str) -> list[dict[str, str]]:
    """Return the filters of files with the bands that an answer gives some of them.

    Parameters
    ----------
    filters : sequence of dict
        Names in the headers (``physical_filter``) and bands.
    text : str
        ``NAME=BAND`` of each, separated by spaces, or by commas if there is one.

    Raises
    ------
    ConfigError
        If a part is not of this form, or names a filter that no file has.
    """
    names = [row["physical_filter"] for row in filters]
    bands: dict[str, str] = {}
    for part in text.split(",") if "," in text else text.split():
        name, band = (side.strip() for side in part.rpartition("=")[::2])
        if not name or not band:
            raise ConfigError(f"filters: '{part.strip()}' is not NAME=BAND, such as 2=V", field="filters")
        if name not in names:
            raise ConfigError(f"filters: no file has '{name}'; they have {', '.join(names)}", field="filters")
        bands[name] = band
    return [{**row, "band": bands.get(row["physical_filter"], row["band"])} for row in filters]
