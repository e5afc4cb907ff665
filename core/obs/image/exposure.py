"""An image with what is known about it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs.display_link import display_function
from obs.errors import DatasetNotFoundError
from obs.facts_text import facts_html, facts_text
from obs.geom import Box
from obs.image.masked_image import MaskedImage, pixel_facts
from obs.image.photo_calib import PhotoCalib
from obs.image.psf import PixelPsf, Psf
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs

if TYPE_CHECKING:
    from astropy.nddata import CCDData  # slow to import, and only one method needs it
    from astropy.units import Quantity

__all__ = ["Exposure"]


class Exposure:
    """A masked image of one detector, its calibrations and its metadata.

    Parameters
    ----------
    masked_image : MaskedImage
        Image, mask and variance, counts.
    wcs : TanSipWcs, optional
        Pixel to sky.
    psf : Psf, optional
        Point-spread function.
    photo_calib : PhotoCalib, optional
        Counts to magnitudes.
    visit_info : VisitInfo, optional
        When and where the exposure was taken.
    detector_name, physical_filter : str, optional
        Empty where not known.
    metadata : mapping, optional
        Further facts: upper-case name to number, bool or text; copied.
    other_wcs : mapping of str to TanSipWcs, optional
        What the WCS may be if ``wcs`` is wrong, the likeliest first, by who tells it; not written to files.
    origin : tuple of int, optional
        Number of the first column and row in the image that this one is a part of: a patch of the LSST stack in its
        tract, a cutout in the whole. WCS, PSF and zero point count from the first pixel all the same; catalogs of the
        whole count as there.
    attached : mapping, optional
        What else the LSST stack attached to the file, by its name there (``apCorrMap``, ``coaddInputs``,
        ``transmissionCurve``, ``validPolygon``): read when asked for. Positions count as there.

    Examples
    --------
    >>> from obs import Butler
    >>> exposure = Butler("DATA/rerun/first").get("calexp", visit=21)
    >>> exposure.masked_image.image.dtype
    dtype('float32')
    >>> exposure.wcs.pixel_scale > 0
    True
    """

    def __init__(
        self,
        masked_image: MaskedImage,
        *,
        wcs: TanSipWcs | None = None,
        psf: Psf | None = None,
        photo_calib: PhotoCalib | None = None,
        visit_info: VisitInfo | None = None,
        detector_name: str = "",
        physical_filter: str = "",
        metadata: Mapping[str, Any] | None = None,
        other_wcs: Mapping[str, TanSipWcs] | None = None,
        origin: tuple[int, int] = (0, 0),
        attached: Mapping[str, Any] | None = None,
    ) -> None:
        self.masked_image = masked_image
        self.wcs, self.psf, self.photo_calib, self.visit_info = wcs, psf, photo_calib, visit_info
        self.detector_name, self.physical_filter = detector_name, physical_filter
        self.metadata, self.other_wcs = dict(metadata or {}), dict(other_wcs or {})
        self.origin, self.attached = origin, {} if attached is None else attached

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (ny, nx) of the pixel array."""
        return self.masked_image.shape

    def with_pixels(self, masked_image: MaskedImage) -> "Exposure":
        """Return an exposure of other pixels, of the same place, with the same calibrations.

        Parameters
        ----------
        masked_image : MaskedImage
            Pixels in the same coordinates, since WCS and PSF stay.
        """
        return Exposure(
            masked_image,
            wcs=self.wcs,
            psf=self.psf,
            photo_calib=self.photo_calib,
            visit_info=self.visit_info,
            detector_name=self.detector_name,
            physical_filter=self.physical_filter,
            metadata=self.metadata,
            other_wcs=self.other_wcs,
            origin=self.origin,
            attached=self.attached,
        )

    def copy(self) -> "Exposure":
        """Return an exposure with its own pixels and metadata."""
        return self.with_pixels(self.masked_image.copy())

    def to_ccddata(self) -> "CCDData":
        """Return the exposure as an `astropy.nddata.CCDData`.

        Its mask is True where the value of a pixel is not a measurement (`obs.image.mask.UNUSABLE_PLANES`), not where
        sources were detected. Pixels and variance are views.

        Returns
        -------
        CCDData
            With unit, variance, WCS and the metadata of the exposure.
        """
        from astropy.nddata import CCDData, VarianceUncertainty  # noqa: PLC0415 - slow to import, seldom needed
        from astropy.wcs import WCS  # noqa: PLC0415 - as above

        pixels = self.masked_image
        return CCDData(
            pixels.image,
            uncertainty=VarianceUncertainty(pixels.variance),
            mask=pixels.mask.unusable(),
            unit=str(self.metadata.get("BUNIT", "adu")),
            wcs=None if self.wcs is None else WCS(self.wcs.to_header()),
            meta=dict(self.metadata),
        )

    def show(self, **look: Any) -> Any:  # noqa: ANN401 - a picture, imported when it is asked for
        """Draw the exposure: pixels, mask planes, directions on the sky.

        Parameters
        ----------
        **look : Any
            As of `obs.display.show.show`: ``catalog``, ``title``, ``scale``, ``stretch``, ``planes``, ``sources``, ...

        Returns
        -------
        obs.display.picture.Picture
            Shows itself in a notebook; ``save("image.png")`` writes it.
        """
        return display_function("show:show")(self, **look)

    def __repr__(self) -> str:
        return facts_text(self._title(), self._facts())

    def _repr_html_(self) -> str:
        picture = display_function("thumbnail:thumbnail")(self.masked_image.image)
        return facts_html(self._title(), self._facts(), picture=picture)

    def _title(self) -> str:
        return f"Exposure of {self.shape[1]} x {self.shape[0]} pixels"

    def _facts(self) -> dict[str, object]:
        pixels, info = self.masked_image, self.visit_info
        unit = str(self.metadata.get("BUNIT", "adu"))
        facts: dict[str, object] = {"detector": self.detector_name, "filter": self.physical_filter}
        if info is not None:
            begin = info.date_begin or info.date_avg
            facts["taken"] = f"{begin}, {info.exposure_time:g} s" if begin else ""
        facts |= {"WCS": "none" if self.wcs is None else self.wcs.summary(self.shape)}
        facts |= {"PSF": "none" if self.psf is None else self._seeing()}
        calib = self.photo_calib
        facts |= {"zero point": "none" if calib is None else f"{calib.zero_point:.3f} mag"}
        return facts | pixel_facts(pixels.image, pixels.mask, pixels.variance, unit)

    def _seeing(self) -> str:
        fwhm = float(getattr(self.psf, "fwhm", float("nan")))
        if fwhm != fwhm:
            return type(self.psf).__name__
        seeing = "" if self.wcs is None else f", {fwhm * self.wcs.pixel_scale:.2f} arcsec"
        return f"FWHM {fwhm:.2f} pixels{seeing}"

    def cutout(
        self,
        box_or_ra: "Box | float | Quantity",
        dec: "float | Quantity | None" = None,
        size: "float | Quantity | None" = None,
    ) -> "Exposure":
        """Return a part of the exposure, as views, with WCS and PSF moved to the cutout's own pixel (0, 0).

        A PSF that is not a `PixelPsf` cannot be moved and is left out.

        Parameters
        ----------
        box_or_ra : Box, or float
            The pixels; or the right ascension of the middle, degrees.
        dec : float, optional
            Declination of the middle, degrees.
        size : float or Quantity, optional
            Side of the square, arcsec, or a quantity of angle. What is outside of the image is left out.

        Raises
        ------
        ValueError
            If the box leaves the image, or something is missing.
        DatasetNotFoundError
            If the place is outside of the image, or there is no WCS.
        """
        if isinstance(box_or_ra, Box):
            box = box_or_ra
        elif dec is None or size is None:
            raise ValueError("a cutout takes a Box, or right ascension, declination (degrees) and size (arcsec)")
        else:
            ra, dec = (float(getattr(angle, "to_value", lambda unit, a=angle: a)("deg")) for angle in (box_or_ra, dec))
            side = float(size.to_value("arcsec") if hasattr(size, "to_value") else size)
            place: Box = display_function("zoom:sky_box")(self.wcs, ra, dec, side)
            box = place.intersection(Box(0, 0, self.shape[1], self.shape[0]))
            if box.is_empty:
                raise DatasetNotFoundError(f"ra {ra:.5f}, dec {dec:.5f} is outside of the image")
        return self.with_pixels(self.masked_image.cutout(box)).moved(x=box.x_min, y=box.y_min)

    def moved(self, *, x: int, y: int) -> "Exposure":
        """Return the exposure with parts for pixels counted from (x, y), as after cutting below and left.

        Parameters
        ----------
        x, y : int
            Pixel of this exposure that becomes pixel (0, 0) of WCS, PSF and calibration. The pixels are shared.
        """
        result = self.with_pixels(self.masked_image)
        result.origin = self.origin[0] + x, self.origin[1] + y
        result.wcs = self.wcs and self.wcs.shifted(x=x, y=y)
        result.other_wcs = {name: wcs.shifted(x=x, y=y) for name, wcs in self.other_wcs.items()}
        result.psf = _moved_psf(self.psf, x, y) if isinstance(self.psf, PixelPsf) else None
        result.photo_calib = self.photo_calib and self.photo_calib.shifted(x=x, y=y)
        return result


def _moved_psf(psf: PixelPsf, x: int, y: int) -> PixelPsf:
    return PixelPsf(
        psf.basis,
        psf.degree,
        x_zero=psf.x_zero - x,
        x_scale=psf.x_scale,
        y_zero=psf.y_zero - y,
        y_scale=psf.y_scale,
        sampling=psf.sampling,
        stamp_shape=psf.stamp_shape,
        fwhm=psf.fwhm,
        chi2=psf.chi2,
        n_star=psf.n_star,
        interpolation=psf.interpolation,
    )
