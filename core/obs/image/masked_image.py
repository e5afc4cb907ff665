"""Image, mask and variance of the same pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.display_link import display_function
from obs.facts_text import facts_html, facts_text
from obs.geom import Box
from obs.image.mask import Mask

__all__ = ["MaskedImage", "pixel_facts"]


class MaskedImage:
    """Three planes of one shape.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixel values.
    mask : Mask, optional
        Named bits; none set if absent.
    variance : ndarray of float32, shape (ny, nx), optional
        Variance in image units squared; NaN, not known, if absent.

    Raises
    ------
    ValueError
        If a plane has another shape or type than float32.

    Examples
    --------
    >>> import numpy as np
    >>> from obs import Mask, MaskedImage
    >>> pixels = np.zeros((3, 4), np.float32)
    >>> image = MaskedImage(pixels, Mask.zeros((3, 4)), pixels + 1)
    >>> image.shape
    (3, 4)
    """

    def __init__(
        self, image: NDArray[np.float32], mask: Mask | None = None, variance: NDArray[np.float32] | None = None
    ) -> None:
        _check("image", image)
        shape = image.shape[0], image.shape[1]
        self.image = image
        self.mask = mask if mask is not None else Mask.zeros(shape)
        self.variance = variance if variance is not None else np.full(shape, np.nan, np.float32)
        _check("variance", self.variance)
        for name, other in (("mask", self.mask.shape), ("variance", self.variance.shape)):
            if other != shape:
                raise ValueError(f"{name} has shape {other}, image has shape {shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the pixel array."""
        return self.image.shape[0], self.image.shape[1]

    def show(self, **look: Any) -> Any:  # noqa: ANN401 - a picture, imported when it is asked for
        """Draw the image with its mask; see `obs.display.show.show` for the settings."""
        return display_function("show:show")(self, **look)

    def __repr__(self) -> str:
        return facts_text(self._title(), self._facts())

    def _repr_html_(self) -> str:
        picture = display_function("thumbnail:thumbnail")(self.image)
        return facts_html(self._title(), self._facts(), picture=picture)

    def _title(self) -> str:
        return f"MaskedImage of {self.shape[1]} x {self.shape[0]} pixels"

    def _facts(self) -> dict[str, str]:
        return pixel_facts(self.image, self.mask, self.variance)

    def cutout(self, box: Box) -> "MaskedImage":
        """Return the pixels in ``box`` as views, no copy.

        Parameters
        ----------
        box : Box
            Region in 0-based pixels of this image.

        Raises
        ------
        ValueError
            If the box leaves the image.
        """
        whole = Box(0, 0, self.shape[1], self.shape[0])
        if not whole.contains(box):
            raise ValueError(f"{box} leaves the image of {self.shape[1]} x {self.shape[0]} pixels")
        return MaskedImage(
            self.image[box.slices], Mask(self.mask.array[box.slices], self.mask.planes), self.variance[box.slices]
        )

    def copy(self) -> "MaskedImage":
        """Return a masked image with its own planes."""
        return MaskedImage(self.image.copy(), self.mask.copy(), self.variance.copy())


def pixel_facts(
    image: NDArray[np.float32], mask: Mask, variance: NDArray[np.float32], unit: str = ""
) -> dict[str, str]:
    """Return what a person wants to know of the pixels, from at most 40,000 of them; the mask is counted in full.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Image and variance.
    mask : Mask
        Mask.
    unit : str, optional
        Unit of the image.
    """
    step_y, step_x = (max(1, size // 200) for size in image.shape)
    sample, noise = image[::step_y, ::step_x], variance[::step_y, ::step_x]
    finite = sample[np.isfinite(sample)]
    known = noise[np.isfinite(noise) & (noise >= 0)]
    planes = ", ".join(f"{name} {percent:.2g} %" for name, percent in mask.percentages().items())
    return {
        "pixels": f"median {np.median(finite):.4g} {unit}".strip() if finite.size else "none is a number",
        "noise": f"{np.sqrt(np.median(known)):.4g} {unit}, by the variance".replace(" ,", ",") if known.size else "",
        "mask": planes or "no plane is set",
    }


def _check(name: str, plane: NDArray[np.float32]) -> None:
    if plane.dtype != np.float32 or plane.ndim != 2:
        raise ValueError(f"{name} is a 2-d float32 array, got {plane.ndim}-d {plane.dtype}")
