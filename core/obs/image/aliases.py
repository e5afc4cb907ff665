"""Other names of columns: ``slot_Centroid`` for all that begins with ``base_SdssCentroid``."""

from collections.abc import Mapping

__all__ = ["resolve_alias"]

_MAX_STEPS = 10


def resolve_alias(name: str, aliases: Mapping[str, str]) -> str:
    """Return the name that an alias stands for, itself or with what follows it after an underscore.

    Aliases of aliases are followed, the longest first.

    Parameters
    ----------
    name : str
        Name of a column.
    aliases : mapping of str to str
        Alias to the name that it stands for.

    Returns
    -------
    str
        The name itself if no alias fits.

    Examples
    --------
    >>> resolve_alias("slot_Centroid_x", {"slot_Centroid": "base_SdssCentroid"})
    'base_SdssCentroid_x'
    """
    for _ in range(_MAX_STEPS):
        found = [alias for alias in aliases if name == alias or name.startswith(f"{alias}_")]
        if not found:
            break
        alias = max(found, key=len)
        name = aliases[alias] + name.removeprefix(alias)
    return name
