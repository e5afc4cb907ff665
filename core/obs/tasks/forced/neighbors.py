"""Light of neighbors at given positions: of what is detected near them, and of the positions themselves."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.fluxes import Fluxes
from obs.algorithms.measure.joint_flux import JointFluxes, Prior, fit_jointly
from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.window import seen_from
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.psf import Psf

__all__ = ["KnownStars", "SharedLight", "detected_neighbors", "psf_width"]

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]

_PSF = "base_PsfFlux"
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
#: Light of positions fainter than this many errors is left in the apertures of others: to take it out adds noise.
_SIGNIFICANT = 3.0


def psf_width(psf: Psf) -> float:
    """Return the full width at half maximum of a PSF, pixels; of the Gaussian as noisy, where it does not know it.

    Parameters
    ----------
    psf : Psf
        Point-spread function.
    """
    fwhm = float(getattr(psf, "fwhm", np.nan))
    if np.isfinite(fwhm) and fwhm > 0:
        return fwhm
    rendered = psf.render(x=np.zeros(1), y=np.zeros(1)).astype(np.float64)
    return float(_FWHM_PER_SIGMA * np.sqrt(rendered.sum() ** 2 / (rendered**2).sum() / (4.0 * np.pi)))


def detected_neighbors(
    shape: tuple[int, int], psf: Psf, x: Floats, y: Floats, sources: Catalog, closest: float
) -> Pixels:
    """Return the light of detected sources near some positions, without what is measured there.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image.
    psf : Psf
        Its PSF.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    sources : Catalog
        Catalog ``src`` of the image; fluxes of its primary sources are used as they are.
    closest : float
        Sources closer to a position than this, pixels, are what is measured there.

    Returns
    -------
    ndarray of float32, shape of the image
    """
    flux = np.asarray(sources[f"{_PSF}_instFlux"], np.float64)
    if f"{_PSF}_apCorr" in sources:
        flux = flux / np.where(sources[f"{_PSF}_apCorr"] > 0, sources[f"{_PSF}_apCorr"], 1.0)
    place = np.stack([sources["base_SdssCentroid_x"], sources["base_SdssCentroid_y"]], axis=1).astype(np.float64)
    use = np.asarray(sources["detect_isPrimary"], bool) & ~sources[f"{_PSF}_flag"] & (flux > 0)
    rows = np.flatnonzero(use & np.isfinite(place).all(axis=1))
    if len(rows):
        reach = float(psf.stamp_shape[0])
        distance, _ = PointTree(np.stack([x, y], axis=1)).nearest(place[rows], below=reach)
        rows = rows[np.isfinite(distance) & (distance > closest)]
    if not len(rows):
        return np.zeros(shape, np.float32)
    return _paint(shape, psf.render(x=place[rows, 0], y=place[rows, 1]), flux[rows], *place[rows].T)


def _paint(shape: tuple[int, int], model: Pixels, flux: Floats, x: Floats, y: Floats) -> Pixels:
    """Return an image of PSFs, shape (n, k, k), with some fluxes at some places."""
    image = np.zeros(shape, np.float32)
    half = model.shape[1] // 2
    step = np.arange(-half, half + 1)
    row = np.rint(y).astype(np.int64)[:, None, None] + step[:, None]
    column = np.rint(x).astype(np.int64)[:, None, None] + step
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    row, column = np.broadcast_to(row, model.shape)[inside], np.broadcast_to(column, model.shape)[inside]
    np.add.at(image, (row, column), (model * flux[:, None, None].astype(np.float32))[inside])
    return image


@frozen
class KnownStars:
    """Neighbors that a reference catalog knows.

    Parameters
    ----------
    x, y : ndarray of float64, shape (m,)
        Positions, pixels.
    flux, error : ndarray of float64, shape (m,)
        Expected PSF fluxes, before aperture correction, and how much they may be off, image units.
    """

    x: Floats
    y: Floats
    flux: Floats
    error: Floats

    @classmethod
    def none(cls) -> "KnownStars":
        """Return an empty list of stars, where nothing is known."""
        return cls(*(np.empty(0) for _ in range(4)))

    def followed_by(self, others: "KnownStars") -> "KnownStars":
        """Return these stars and others.

        Parameters
        ----------
        others : KnownStars
            Stars to append.
        """
        names = ("x", "y", "flux", "error")
        return KnownStars(*(np.append(getattr(self, name), getattr(others, name)) for name in names))


@frozen
class SharedLight:
    """Point sources at given positions, fitted together.

    Parameters
    ----------
    model : ndarray of float32, shape (n, k, k)
        PSF at each position.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    joint : JointFluxes
        Their fluxes, image units.
    subtracted : ndarray of bool, shape (n,)
        Positions whose light is taken out of the apertures of others.
    """

    model: Pixels
    x: Floats
    y: Floats
    joint: JointFluxes
    subtracted: NDArray[np.bool_]

    @classmethod
    def fit(
        cls, single: Fluxes, model: Pixels, x: Floats, y: Floats, known: "KnownStars", closest: float
    ) -> "SharedLight":
        """Separate positions that were fitted alone; the last ones are known stars.

        Parameters
        ----------
        single : Fluxes
            Fluxes of the ``n`` positions, each fitted alone, image units.
        model : ndarray of float32, shape (n, k, k)
            PSF at each position.
        x, y : ndarray of float64, shape (n,)
            Positions, 0-based pixels.
        known : KnownStars
            The last of these positions, and the fluxes expected for them.
        closest : float
            Positions closer together than this, pixels, are not separated.
        """
        n = len(x) - len(known.x)
        free = np.zeros(n)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.append(free, (single.flux_err[n:] / known.error) ** 2)
        prior = Prior(np.append(free, known.flux), np.where(np.isfinite(weight), weight, 0.0))
        joint = fit_jointly(np.where(single.failed, np.nan, single.flux), model, x, y, closest, prior)
        with np.errstate(invalid="ignore"):
            bright = joint.flux > _SIGNIFICANT * single.flux_err * joint.inflation
        return cls(model, x, y, joint, bright & (joint.leader == np.arange(len(x))))

    def remove_from(self, image: Pixels) -> Pixels:
        """Return an image without the light of the positions.

        Parameters
        ----------
        image : ndarray of float32, shape (ny, nx)
            Image in which the positions were fitted; it is not changed.
        """
        rows = np.flatnonzero(self.subtracted)
        if not len(rows):
            return image
        return image - _paint(image.shape, self.model[rows], self.joint.flux[rows], self.x[rows], self.y[rows])

    def render_own_light(self, n: int, half: int) -> Pixels:
        """Return the light that belongs to the first positions, shape (n, 2 half + 1, 2 half + 1).

        Parameters
        ----------
        n : int
            Number of the first positions.
        half : int
            Half the size of the stamps, pixels.
        """
        leader = self.joint.leader[:n]
        flux = np.where(self.subtracted[leader], self.joint.flux[leader], 0.0).astype(np.float32)
        seen = seen_from(self.model, self.x, self.y, np.arange(n), leader, half)
        return np.asarray(seen * flux[:, None, None], np.float32)
