"""Pairs of sources that stand at the same place."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from obs.compat.lsst.afw.geom.angle import Angle
from obs.compat.lsst.afw.table.catalog import SourceCatalog
from obs.compat.lsst.afw.table.record import SourceRecord
from obs.frozen import frozen
from obs.image.catalog import Catalog

__all__ = ["Match", "MatchControl", "MatchList", "matchRaDec", "matchXy", "packMatches", "unpackMatches"]

MatchList = list["Match"]


@frozen
class Match:
    """A pair; it can be taken apart into its two sources and their distance.

    Parameters
    ----------
    first, second : SourceRecord
        The sources.
    distance : float
        Their distance: radians on the sky, pixels on the detector.
    """

    first: SourceRecord
    second: SourceRecord
    distance: float

    def __iter__(self) -> Iterator[SourceRecord | float]:
        return iter((self.first, self.second, self.distance))

    def __getitem__(self, index: int) -> SourceRecord | float:
        return (self.first, self.second, self.distance)[index]


class MatchControl:
    """How sources are matched, as in the LSST stack."""

    def __init__(self) -> None:
        self.findOnlyClosest = True


def matchRaDec(
    first: SourceCatalog, second: SourceCatalog, radius: Angle, closest: bool | MatchControl = True
) -> MatchList:
    """Return pairs of sources of two catalogs, by their place on the sky.

    Parameters
    ----------
    first, second : SourceCatalog
        The catalogs.
    radius : Angle
        Largest distance.
    closest : bool, optional
        For each source of the first catalog only the closest of the second; else all. A `MatchControl` says it, too.
    """
    closest = closest.findOnlyClosest if isinstance(closest, MatchControl) else closest

    def vectors(catalog: SourceCatalog) -> NDArray[np.float64]:
        ra, dec = catalog.getRa(), catalog.getDec()
        return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)

    chord = 2.0 * np.sin(0.5 * float(radius))
    pairs = _pairs(vectors(first), vectors(second), chord, closest)
    return [Match(first[i], second[j], 2.0 * float(np.arcsin(0.5 * length))) for i, j, length in pairs]


def matchXy(first: SourceCatalog, second: SourceCatalog, radius: float, closest: bool = True) -> MatchList:
    """Return pairs of sources of two catalogs, by their place on the detector; arguments as of `matchRaDec`, pixels."""

    def places(catalog: SourceCatalog) -> NDArray[np.float64]:
        return np.stack([catalog.getX(), catalog.getY()], axis=1)

    pairs = _pairs(places(first), places(second), radius, closest)
    return [Match(first[i], second[j], length) for i, j, length in pairs]


def packMatches(matches: MatchList) -> SourceCatalog:
    """Return pairs as a table of the numbers of both sources, and their distance; see `unpackMatches`."""
    packed = Catalog()
    for name in ("first", "second"):
        numbers = [getattr(match, name).getId() for match in matches]
        packed.add(name, np.array(numbers, np.int64), "", f"ID of the {name} source of the pair")
    packed.add("distance", np.array([match.distance for match in matches], np.float64), "", "distance of the pair")
    return SourceCatalog(packed)


def unpackMatches(packed: SourceCatalog, first: SourceCatalog, second: SourceCatalog | None = None) -> MatchList:
    """Return pairs from a table of their numbers; those of which a source is not in its catalog are left out.

    Parameters
    ----------
    packed : SourceCatalog
        The table, such as that of `packMatches` or ``srcMatch`` of the stack.
    first, second : SourceCatalog
        The catalogs; the same one if there is no second.
    """
    rows = [
        {int(number): row for row, number in enumerate(catalog.get("id"))}
        for catalog in (first, first if second is None else second)
    ]
    columns = [packed.get(name).tolist() for name in ("first", "second", "distance")]
    return [
        Match(first[rows[0][i]], (first if second is None else second)[rows[1][j]], distance)
        for i, j, distance in zip(*columns, strict=True)
        if i in rows[0] and j in rows[1]
    ]


def _pairs(
    first: NDArray[np.float64], second: NDArray[np.float64], radius: float, closest: bool
) -> list[tuple[int, int, float]]:
    """Return rows and distances of pairs; places that are not finite have none."""
    rows = [np.flatnonzero(np.isfinite(places).all(axis=1)) for places in (first, second)]
    if not len(rows[0]) or not len(rows[1]):
        return []
    tree = cKDTree(second[rows[1]])
    if closest:
        distances, found = tree.query(first[rows[0]], distance_upper_bound=radius)
        near = np.isfinite(distances)
        pairs = zip(rows[0][near], rows[1][found[near]], distances[near], strict=True)
        return [(int(i), int(j), float(d)) for i, j, d in pairs]
    groups = tree.query_ball_point(first[rows[0]], radius)
    whole = [(int(i), int(rows[1][j])) for i, group in zip(rows[0], groups, strict=True) for j in sorted(group)]
    return [(i, j, float(np.linalg.norm(first[i] - second[j]))) for i, j in whole]
