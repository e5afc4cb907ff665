"""What the `show` methods of images do."""

from typing import Any

import numpy as np

from obs.display.draw import draw_view
from obs.display.look import Look
from obs.display.picture import Picture
from obs.display.view import make_view
from obs.image.catalog import Catalog
from obs.image.psf import PixelPsf

__all__ = ["show", "show_psf"]


def show(thing: Any, *, title: str = "", catalog: Catalog | None = None, **look: Any) -> Picture:  # noqa: ANN401 - any image
    """Draw an image, with mask and sources if asked for.

    Parameters
    ----------
    thing : Exposure, MaskedImage, Mask, Background or ndarray
        The image.
    title : str, optional
        Words above it.
    catalog : Catalog, optional
        Sources, shown as circles unless ``sources`` says "ellipses".
    **look : Any
        Fields of `obs.display.look.Look`, such as ``scale``, ``stretch``, ``planes``, ``transparency`` and ``sources``.
    """
    if catalog is not None:
        look.setdefault("sources", "symbols")
    return draw_view(make_view(thing, title), Look(**look), catalog)


def show_psf(psf: PixelPsf, *, x: float | None = None, y: float | None = None, **look: Any) -> Picture:
    """Draw a PSF at a position, pixels; see `obs.image.psf_views.PsfViews.show`.

    Parameters
    ----------
    psf : PixelPsf
        Point-spread function.
    x, y : float, optional
        Position on the detector, 0-based pixels. By default the middle of its polynomial.
    **look : object
        Fields of `Look`.
    """
    place = (psf.x_zero if x is None else x), (psf.y_zero if y is None else y)
    width = "" if np.isnan(psf.fwhm) else f", FWHM {psf.fwhm:.2f} pixels"
    return draw_view(make_view(psf, f"PSF at x {place[0]:.0f}, y {place[1]:.0f}{width}", place=place), Look(**look))
