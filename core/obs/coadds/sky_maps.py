"""The sky map of a repository: read, written once, and made around exposures that are there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from obs.coadds.frames import Frame
from obs.errors import DatasetNotFoundError, OutputError, RepositoryError
from obs.repo.butler import Butler
from obs.repo.sky_map_file import read_sky_map
from obs.shell_command import shell_command
from obs.sky_vectors import sky_positions, sky_vectors
from obs.skymap.discrete import DiscreteSkyMap
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Tract
from obs.skymap.types import make_sky_map

__all__ = ["coadd_roots", "describe_tract", "enclosing_circle", "load_sky_map", "save_sky_map", "sky_map_around"]

_STEPS = 2000
_DATASET = "deepCoadd_skyMap"


def load_sky_map(butler: Butler) -> SkyMap[Any]:
    """Return the sky map of a repository.

    Parameters
    ----------
    butler : Butler
        Butler of the repository or of an output of it.

    Raises
    ------
    DatasetNotFoundError
        If it has none.
    RepositoryError
        If the dataset is not a sky map.
    """
    try:
        sky_map = butler.get(_DATASET)
    except DatasetNotFoundError as error:
        command = shell_command("obs", "skymap", "make", butler.roots[0], "--discrete")
        raise DatasetNotFoundError(
            f"{butler.roots[0]} has no sky map; make one: {command}",
            dataset_type=_DATASET,
            paths=error.paths,
        ) from None
    if not isinstance(sky_map, SkyMap):
        raise RepositoryError(f"{_DATASET} of {butler.roots[0]} is a {type(sky_map).__name__}, not a sky map")
    return sky_map


def coadd_roots(butler: Butler) -> list[Path]:
    """Return the folders whose coadds count: those of a parent that has another sky map of its own do not.

    Parameters
    ----------
    butler : Butler
        The repository.
    """
    roots = butler.roots
    place = Path(butler.mapper.dataset_type(_DATASET).template or "")
    with_map = [number for number, root in enumerate(roots) if (root / place).is_file()]
    if len(with_map) < 2:
        return roots
    sha1 = read_sky_map(roots[with_map[0]] / place).sha1
    return roots[: next((n for n in with_map if read_sky_map(roots[n] / place).sha1 != sha1), len(roots))]


def save_sky_map(butler: Butler, sky_map: SkyMap[Any], *, replace: bool = False) -> bool:
    """Write the sky map of a repository, unless the same one is there; return whether it was written.

    Parameters
    ----------
    butler : Butler
        Butler of the output repository.
    sky_map : SkyMap
        The sky map; maps with the same ``sha1`` count as the same.
    replace : bool, default: False
        Whether another sky map may be overwritten.

    Raises
    ------
    OutputError
        If another one is there, which coadds may have been made with, and it is not to be replaced.
    """
    try:
        known = load_sky_map(butler)
    except DatasetNotFoundError:
        known = None
    if known is not None and known.sha1 == sky_map.sha1:
        return False
    if known is not None and not replace:
        raise OutputError(
            f"{butler.roots[0]} has another sky map (type {known.type_name}, sha1 {known.sha1[:8]}; the new one "
            f"{sky_map.sha1[:8]}): coadds made with it would not fit. Choose another output, or add --replace and make "
            "the coadds anew",
            path=butler.path(_DATASET),
        )
    butler.put(sky_map, _DATASET)
    return True


def sky_map_around(
    frames: Sequence[Frame], settings: dict[str, Any], *, border: float = 0.0, old: SkyMap[Any] | None = None
) -> SkyMap[Any]:
    """Return a sky map with one tract that holds all of some exposures.

    Parameters
    ----------
    frames : sequence of Frame
        The exposures; at least one.
    settings : dict
        Settings of discrete sky maps except centers and radii. Without a pixel scale, the median one of the exposures
        is taken, rounded to a milliarcsecond.
    border : float, optional
        Added to the radius, degrees.
    old : SkyMap, optional
        Discrete sky map to which the tract is added, with its settings.

    Raises
    ------
    RepositoryError
        Without exposures, or if the old sky map is not discrete.
    """
    if not frames:
        raise RepositoryError(
            "No data found from which to compute convex hull: no calibrated exposure with a WCS fits; obs process "
            "makes them, and obs ls REPO calexp lists them"
        )
    ra, dec, radius = enclosing_circle(np.concatenate([frame.outline() for frame in frames]))
    if old is not None:
        if not isinstance(old, DiscreteSkyMap):
            raise RepositoryError(f"--append adds to a discrete sky map; this one is of the type {old.type_name}")
        values = old.settings.model_dump()
        for name, value in (("ra", ra), ("dec", dec), ("radius", radius + border)):
            values[name] = [*values[name], value]
        return make_sky_map("discrete", values)
    scale = float(np.round(np.median([frame.wcs.pixel_scale for frame in frames]), 3))
    given = {"pixel_scale": scale, **settings}
    return make_sky_map("discrete", {**given, "ra": [ra], "dec": [dec], "radius": [radius + border]})


def enclosing_circle(points: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float, float]:
    """Return center (right ascension, declination) and radius, degrees, of a small circle that holds all points.

    The center moves toward the farthest point by less and less, which converges to the smallest circle.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 2)
        Right ascension and declination, degrees.

    References
    ----------
    M. Badoiu & K. Clarkson (2003), Proc. 14th ACM-SIAM SODA, 801.
    """
    vectors = sky_vectors(points[:, 0], points[:, 1])
    center = vectors.mean(axis=0)
    for step in range(1, _STEPS):
        farthest = vectors[np.argmin(vectors @ center)]
        center = center + (farthest - center) / (step + 1)
    center /= np.linalg.norm(center)
    chord = np.linalg.norm(vectors - center, axis=1).max()
    ra, dec = sky_positions(center[None])
    return round(float(ra[0]), 9), round(float(dec[0]), 9), float(np.rad2deg(2 * np.arcsin(chord / 2))) + 1e-6


def describe_tract(tract: Tract) -> str:
    """Return the line that names corners and patches of a tract, as the LSST stack logs it.

    Parameters
    ----------
    tract : Tract
        The tract.
    """
    corners = ", ".join(f"({ra:.4f}, {dec:.4f})" for ra, dec in tract.corners())
    n_x, n_y = tract.n_patch
    return f"tract {tract.number} has corners {corners} (RA, Dec deg) and {n_x} x {n_y} patches"
