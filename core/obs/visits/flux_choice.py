"""Which flux measures an object best, judged by stars as bright, and the ensemble that it is compared with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.tasks.forced.ensemble import Ensemble, fit_ensemble
from obs.visits.light_curve_point import FLAGS, Point

__all__ = ["PSF_FLUX", "Choice", "choose_flux", "find_fluxes"]

PSF_FLUX = "base_PsfFlux"
#: Another flux than that of the PSF must repeat better by this factor to be taken, with as many stars but this share.
_BETTER, _AS_MANY = 0.9, 0.8
#: Stars from which it is judged how well the object can be measured: those nearest in brightness.
_ALIKE = 20
#: Comparison stars that must be left for one to be the check star.
_FEWEST_OTHERS = 5
#: Scatter of those stars beyond their errors is believed from so many standard errors on.
_SIGNIFICANT = 3.0
#: Standard error of a median of one value, median deviations.
_ERROR_OF_MEDIAN = 1.86
#: Apertures that are small enough for what they hold to be in the PSF flux, too.
_CLOSE = "base_SeeingApertureFlux"
#: More light in an aperture than a star of the object's PSF flux has there that stays unnoticed, mag.
_UNNOTICED = 0.03


@frozen
class Choice:
    """What a light curve in one filter rests on.

    Attributes
    ----------
    flux : str
        Beginning of the name of the flux.
    ensemble : Ensemble
        Zero points of the images.
    shift : float
        Added to its magnitudes to give those of the PSF flux, mag.
    floor : float
        Scatter of stars as bright as the object beyond their errors, mag.
    stars : ndarray of int64
        Numbers of the comparison stars among all positions but the object's.
    check : int
        That of the check star, or -1.
    doubt : str
        What the user should know of the light that apertures hold, as it would stand in a warning; or nothing.
    """

    flux: str
    ensemble: Ensemble
    shift: float
    floor: float
    stars: NDArray[np.int64]
    check: int
    doubt: str = ""


def find_fluxes(catalog: Catalog, flux: str | None) -> list[str]:
    """Return the fluxes among which to choose, the PSF's first.

    Parameters
    ----------
    catalog : Catalog
        Measurements of one image.
    flux : str or None
        The flux that the user asks for.

    Raises
    ------
    MeasurementError
        If there is no such flux; names those that there are.
    """
    there = [column.removesuffix("_mag") for column in catalog.columns if column.endswith("_mag")]
    if flux is None:
        return sorted(there, key=lambda name: name != PSF_FLUX)
    if flux not in there:
        raise MeasurementError(f"there is no flux '{flux}'; there are {', '.join(there)}")
    return [flux]


def choose_flux(points: Sequence[Point], names: Sequence[str], n_position: int, check: int | None = None) -> Choice:
    """Return the flux with which stars as bright as the object repeat best; that of the PSF where none is better.

    An aperture with more light than a star of the object's PSF flux has there is not chosen: it holds another star, and
    a warning says so.

    Parameters
    ----------
    points : sequence of Point
        The object and the comparison stars on the images of one filter.
    names : sequence of str
        Fluxes among which to choose, the PSF's first.
    n_position : int
        Number of positions, the object's included.
    check : int, optional
        The check star; without it the comparison star nearest to the object in brightness.
    """
    star = np.concatenate([point.catalog["objectId"] for point in points]).astype(np.int64)
    image = np.concatenate([np.full(len(point.catalog), n) for n, point in enumerate(points)]).astype(np.int64)
    psf = np.concatenate([point.catalog[f"{PSF_FLUX}_mag"] for point in points])
    choices: list[Choice] = []
    least, excess = np.inf, {0.0: PSF_FLUX}
    there = [column.removesuffix("_mag") for column in points[0].catalog.columns if column.endswith("_mag")]
    # apertures that cannot be chosen still show the light of a star that nothing separates
    judged = [name for name in there if name.startswith(_CLOSE) and name not in names]
    for name in (*names, *judged):
        magnitude, error = (np.concatenate([p.catalog[f"{name}_{end}"] for p in points]) for end in ("mag", "magErr"))
        unflawed = _unflawed(points, name)
        use = (star > 0) & np.isfinite(magnitude) & np.isfinite(error) & unflawed
        ensemble = fit_ensemble(magnitude[use], error[use], star[use] - 1, image[use], n_position - 1, len(points))
        both = use & np.isfinite(psf)
        shift = float(np.median((psf - magnitude)[both])) if both.any() and name != PSF_FLUX else 0.0
        own = magnitude[star == 0] + shift
        brightness = float(np.nanmedian(own)) if np.isfinite(own).any() else np.nan
        tested = _check_star(ensemble, brightness, shift) if check is None else check
        if tested >= 0:
            part = use & (star - 1 != tested)
            ensemble = fit_ensemble(
                magnitude[part], error[part], star[part] - 1, image[part], n_position - 1, len(points)
            )
        alike = _alike(ensemble, brightness, shift)
        scatter = float(np.median(ensemble.star_scatter[alike])) if len(alike) else np.inf
        floor = _scatter_beyond_errors(ensemble, alike, len(points))
        number = int(ensemble.constant.sum())
        # a saturated object has less light in the PSF flux, whatever is beside it
        more = _more_light((psf - magnitude - shift)[(star == 0) & unflawed])
        if name.startswith(_CLOSE) or not choices:
            excess[more] = name
        better = name in names and not more and scatter < _BETTER * least
        if not choices or (better and number > _AS_MANY * len(choices[0].stars)):
            choices.append(Choice(name, ensemble, shift, floor, np.flatnonzero(ensemble.constant), tested))
            least = scatter
    most = max(excess)
    return replace(choices[-1], doubt=_doubt(excess[most], most) if most else "")


def _doubt(name: str, more: float) -> str:
    return (
        f"{name} has {more:.2f} mag more light of the object than {PSF_FLUX}: a star that no image separates from it "
        "may be in its magnitudes, or it is not a star. A reference catalog that has both stars (obs ingest-refcat) "
        "separates them"
    )


def _more_light(difference: NDArray[np.float64]) -> float:
    """Return how much fainter the object is in the PSF flux than in an aperture, mag; 0 if that may be chance."""
    known = difference[np.isfinite(difference)]
    if not len(known):
        return 0.0
    middle = float(np.median(known))
    error = _ERROR_OF_MEDIAN * float(np.median(np.abs(known - middle))) / np.sqrt(len(known))
    return middle if middle > _UNNOTICED + _SIGNIFICANT * error else 0.0


def _unflawed(points: Sequence[Point], name: str) -> NDArray[np.bool_]:
    """Return which measurements are free of damaged pixels, of all positions on all images."""
    flags = [f"{name}_flag", *(f"base_PixelFlags_flag_{flag}" for flag in FLAGS)]
    return np.concatenate([~np.any([point.catalog[flag] for flag in flags], axis=0) for point in points])


def _check_star(ensemble: Ensemble, magnitude: float, shift: float) -> int:
    """Return the comparison star nearest to the object in brightness, if enough others are left; else -1."""
    alike = _alike(ensemble, magnitude, shift)
    return int(alike[0]) if len(alike) > _FEWEST_OTHERS else -1


def _alike(ensemble: Ensemble, magnitude: float, shift: float) -> NDArray[np.int64]:
    """Return the comparison stars that are nearest to the object in brightness."""
    stars = np.flatnonzero(np.isfinite(ensemble.star_scatter))
    away = np.abs(ensemble.magnitude[stars] + shift - magnitude)
    return stars[np.argsort(away, kind="stable")][:_ALIKE]


def _scatter_beyond_errors(ensemble: Ensemble, stars: NDArray[np.int64], n_image: int) -> float:
    """Return the scatter of some stars that their errors do not explain, magnitudes; 0 where it may be chance."""
    degrees = len(stars) * (n_image - 1)
    if degrees < 1:
        return 0.0
    ratio = (ensemble.star_scatter[stars] / ensemble.star_error[stars]) ** 2
    if ratio.mean() < 1.0 + _SIGNIFICANT * np.sqrt(2.0 / degrees):
        return 0.0
    beyond = ensemble.star_scatter[stars] ** 2 - ensemble.star_error[stars] ** 2
    return float(np.sqrt(max(np.median(beyond), 0.0)))
