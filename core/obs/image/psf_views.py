"""A PSF as a picture, in words, and as the models of other libraries."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.display_link import display_function
from obs.facts_text import facts_html, facts_text
from obs.image.resample import shift_matrices

if TYPE_CHECKING:
    import galsim
    from photutils.psf import GriddedPSFModel, ImagePSF

__all__ = ["PsfViews"]

_OVERSAMPLING = 4


class _Model(Protocol):
    """What the views ask of a PSF."""

    x_zero: float
    y_zero: float
    sampling: float
    fwhm: float
    n_star: int
    degree: int
    interpolation: Any

    @property
    def stamp_shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the stamps."""

    def model(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return the sampled model at positions."""

    def evaluate(self, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return stamps of the PSF at given positions."""


class PsfViews:
    """What a PSF can be shown and handed to other libraries as."""

    def show(self: Any, *, x: float | None = None, y: float | None = None, **look: Any) -> Any:  # noqa: ANN401 - a picture
        """Draw the PSF at a position.

        Parameters
        ----------
        x, y : float, optional
            Pixels; the middle of the detector, or where the model has its zero, if absent.
        **look : Any
            Fields of `obs.display.look.Look`, such as ``stretch="log"``.

        Returns
        -------
        obs.display.picture.Picture
            Shows itself in a notebook; ``save("psf.png")`` writes it.
        """
        return display_function("show:show_psf")(self, x=x, y=y, **look)

    def to_image_psf(self: Any, *, x: float | None = None, y: float | None = None) -> "ImagePSF":
        """Return the PSF at a position as an `photutils.psf.ImagePSF`, oversampled four times.

        For a star at this position its values in pixels are those of `render`.

        Parameters
        ----------
        x, y : float, optional
            Pixels; where the model has its zero if absent.
        """
        from photutils.psf import ImagePSF  # noqa: PLC0415 - not needed by obs itself

        place = _place(self, x, y)
        dx, dy = _phase(place)
        image = _oversampled(self, [place], phase=(dx, dy))[0]
        ny, nx = image.shape
        origin = 0.5 * (nx - 1) + dx * _OVERSAMPLING, 0.5 * (ny - 1) + dy * _OVERSAMPLING
        return ImagePSF(image, oversampling=_OVERSAMPLING, origin=origin)

    def to_gridded_psf(self: Any, shape: tuple[int, int], *, nodes: int = 4) -> "GriddedPSFModel":
        """Return the PSF over an image as a `photutils.psf.GriddedPSFModel`, which interpolates between positions.

        Parameters
        ----------
        shape : tuple of int
            Shape (ny, nx) of the image.
        nodes : int, optional
            Positions along each axis.
        """
        from astropy.nddata import NDData  # noqa: PLC0415 - as above
        from photutils.psf import GriddedPSFModel  # noqa: PLC0415 - as above

        columns, rows = (np.linspace(0.0, size - 1.0, nodes) for size in shape[::-1])
        places = [(float(x), float(y)) for y in rows for x in columns]
        cube = _oversampled(self, places).astype(np.float64)
        return GriddedPSFModel(NDData(cube, meta={"grid_xypos": places, "oversampling": _OVERSAMPLING}))

    def to_galsim(
        self: Any, *, x: float | None = None, y: float | None = None, pixel_scale: float = 1.0
    ) -> "galsim.InterpolatedImage":
        """Return the PSF at a position as a GalSim object.

        Its flux is that of the model: 1 within 0.001, or within 0.02 where stars are undersampled.

        It contains the response of the pixels already: draw it with ``method="no_pixel"``. Drawn for a star at this
        position, ``offset`` being its distance from the middle of its pixel, its values are those of `render`.

        Parameters
        ----------
        x, y : float, optional
            Pixels; where the model has its zero if absent.
        pixel_scale : float, optional
            Size of a pixel, in the unit of length of the other GalSim objects; arcsec, for example.
        """
        import galsim  # noqa: PLC0415 - not needed by obs itself

        place = _place(self, x, y)
        dx, dy = _phase(place)
        values = _oversampled(self, [place], phase=(dx, dy))[0].astype(np.float64)
        image = galsim.Image(values / pixel_scale**2, scale=pixel_scale / _OVERSAMPLING)
        return galsim.InterpolatedImage(
            image,
            x_interpolant=galsim.Quintic(),
            normalization="sb",
            offset=(dx * _OVERSAMPLING, dy * _OVERSAMPLING),
        )

    def __repr__(self: Any) -> str:
        return facts_text(self._title(), self._facts())

    def _repr_html_(self: Any) -> str:
        x, y = _place(self, None, None)
        stamp = self.evaluate(x=[x], y=[y])[0]
        picture = display_function("thumbnail:thumbnail")(stamp, scale="minmax", least=128)
        return facts_html(self._title(), self._facts(), picture=picture)

    def _title(self: Any) -> str:
        ny, nx = self.stamp_shape
        return f"{type(self).__name__} of {nx} x {ny} pixels"

    def _facts(self: Any) -> dict[str, object]:
        terms = "the same everywhere" if self.degree == 0 else f"polynomial of degree {self.degree} in x and y"
        return {
            "FWHM": "" if np.isnan(self.fwhm) else f"{self.fwhm:.2f} pixels",
            "over the image": terms,
            "stars": self.n_star or "",
            "sampling": f"{self.sampling:.3g} pixels",
        }


def _place(psf: _Model, x: float | None, y: float | None) -> tuple[float, float]:
    return (psf.x_zero if x is None else x), (psf.y_zero if y is None else y)


def _phase(place: tuple[float, float]) -> tuple[float, float]:
    """Return how far a position is from the middle of its pixel."""
    x, y = place
    return float(x - np.rint(x)), float(y - np.rint(y))


def _oversampled(
    psf: _Model, places: list[tuple[float, float]], phase: tuple[float, float] = (0.0, 0.0)
) -> NDArray[np.float32]:
    """Return the PSF at positions, sampled several times a pixel, shape (n, my, mx), my and mx odd.

    Each sample is the light that a whole pixel at its place would see, so that samples add up to the square of the
    oversampling. With a phase (x, y) samples are where pixels are whose distance from the star it is.
    """
    x, y = (np.array(values) for values in zip(*places, strict=True))
    model = psf.model(x=x, y=y)
    weights = []
    for size, samples, offset in zip(psf.stamp_shape, model.shape[1:], phase[::-1], strict=True):
        fine = (size - 1) * _OVERSAMPLING + 1
        # one step of the fine grid is the unit here
        step = psf.sampling * _OVERSAMPLING
        weights.append(shift_matrices(np.array([offset * _OVERSAMPLING]), fine, samples, step, psf.interpolation)[0])
    rows, columns = weights
    return np.asarray(rows @ model @ columns.T, np.float32)
