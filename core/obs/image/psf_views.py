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

        Parameters
        ----------
        x, y : float, optional
            Pixels; where the model has its zero if absent.
        """
        from photutils.psf import ImagePSF  # noqa: PLC0415 - not needed by obs itself

        place = _place(self, x, y)
        return ImagePSF(_oversampled(self, [place])[0], oversampling=_OVERSAMPLING)

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
        """Return the PSF at a position as a GalSim object of flux 1.

        It contains the response of the pixels already: draw it with ``method="no_pixel"``.

        Parameters
        ----------
        x, y : float, optional
            Pixels; where the model has its zero if absent.
        pixel_scale : float, optional
            Size of a pixel, in the unit of length of the other GalSim objects; arcsec, for example.
        """
        import galsim  # noqa: PLC0415 - not needed by obs itself

        place = _place(self, x, y)
        model = self.model(x=[place[0]], y=[place[1]])[0].astype(np.float64)
        image = galsim.Image(model, scale=self.sampling * pixel_scale)
        return galsim.InterpolatedImage(image, x_interpolant=galsim.Lanczos(5), flux=1.0)

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


def _oversampled(psf: _Model, places: list[tuple[float, float]]) -> NDArray[np.float32]:
    """Return the PSF at positions, sampled several times a pixel, shape (n, my, mx), my and mx odd.

    Each sample is the light that a whole pixel at its place would see, so that samples add up to the square of the
    oversampling.
    """
    x, y = (np.array(values) for values in zip(*places, strict=True))
    model = psf.model(x=x, y=y)
    zero = np.zeros(1)
    weights = []
    for size, samples in zip(psf.stamp_shape, model.shape[1:], strict=True):
        fine = (size - 1) * _OVERSAMPLING + 1
        # one step of the fine grid is the unit here
        step = psf.sampling * _OVERSAMPLING
        weights.append(shift_matrices(zero, fine, samples, step, psf.interpolation)[0])
    rows, columns = weights
    return np.asarray(rows @ model @ columns.T, np.float32)
