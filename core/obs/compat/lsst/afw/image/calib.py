"""Zero points and filters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.compat.lsst.absent import SaysWhatInstead
from obs.compat.lsst.afw.geom.point import Point2D
from obs.compat.lsst.afw.image.masked_image import MaskedImageF
from obs.compat.lsst.daf.base import PropertySet
from obs.compat.lsst.pex.exceptions import NotFoundError
from obs.frozen import frozen
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT
from obs.image.photo_calib import PhotoCalib as OwnPhotoCalib
from obs.instrument.discovery import discover
from obs.repo.fits_exposure_header import header_photo_calib

__all__ = [
    "Calib",
    "Filter",
    "FilterLabel",
    "FilterProperty",
    "Measurement",
    "PhotoCalib",
    "abMagErrFromFluxErr",
    "abMagFromFlux",
    "fluxErrFromABMagErr",
    "fluxFromABMag",
]

_JANSKY_OF_ZERO = 3631.0
"""Flux density, Jy, of AB magnitude 0 as the stack rounds it."""

_MAG_PER_FRACTION = 2.5 / np.log(10.0)

Floats = NDArray[np.float64]
ErrorRule = Callable[[Floats, Floats, Floats], Floats]


def abMagFromFlux(flux: Any) -> Any:  # noqa: ANN401 - numbers or arrays
    """Return the AB magnitudes of flux densities in jansky; NaN where they are negative."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return -2.5 * np.log10(np.asarray(flux, np.float64) / _JANSKY_OF_ZERO)


def fluxFromABMag(magnitude: Any) -> Any:  # noqa: ANN401 - numbers or arrays
    """Return the flux densities in jansky of AB magnitudes."""
    return _JANSKY_OF_ZERO * 10.0 ** (-0.4 * np.asarray(magnitude, np.float64))


def abMagErrFromFluxErr(fluxErr: Any, flux: Any) -> Any:  # noqa: ANN401 - numbers or arrays
    """Return the errors of AB magnitudes from flux densities and their errors in jansky."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _MAG_PER_FRACTION * np.asarray(fluxErr, np.float64) / np.asarray(flux, np.float64)


def fluxErrFromABMagErr(magErr: Any, mag: Any) -> Any:  # noqa: ANN401 - numbers or arrays
    """Return the errors of flux densities in jansky from AB magnitudes and their errors."""
    return np.asarray(magErr, np.float64) * fluxFromABMag(mag) / _MAG_PER_FRACTION


class Measurement(NamedTuple):
    """A value and its standard error."""

    value: Any
    error: Any


def _magnitude_error(flux: Floats, error: Floats, _: Floats) -> Floats:
    return np.asarray(_MAG_PER_FRACTION * error / flux, np.float64)


def _density_error(flux: Floats, error: Floats, density: Floats) -> Floats:
    return np.asarray(np.abs(density / flux) * error, np.float64)


class PhotoCalib(SaysWhatInstead):
    """A photometric calibration, as in the LSST stack.

    Parameters
    ----------
    own : obs.image.photo_calib.PhotoCalib, float, PropertySet or mapping
        The calibration of `obs`, the nanojansky of one count, or a header with FLUXMAG0.
    error : float, optional
        Error of the nanojansky of one count.

    Raises
    ------
    ValueError
        If the header has no FLUXMAG0, or the number is not positive.
    """

    def __init__(self, own: OwnPhotoCalib | float | PropertySet | Mapping[str, Any], error: float = 0.0) -> None:
        if isinstance(own, int | float):
            if not own > 0:
                raise ValueError(f"the nanojansky of one count are a positive number, got {own}")
            flux_mag0 = 10.0 ** (0.4 * NANOJANSKY_ZERO_POINT) / own
            own = OwnPhotoCalib(flux_mag0, flux_mag0 * error / own)
        elif not isinstance(own, OwnPhotoCalib):
            cards = own.toDict() if isinstance(own, PropertySet) else dict(own)
            found = header_photo_calib(cards)
            if found is None:
                raise ValueError("the header has no positive FLUXMAG0")
            own = found
        #: The calibration of `obs`.
        self.own = own

    def setThrowOnNegativeFlux(self, value: bool) -> None:
        """Take note of what negative fluxes do: their magnitudes are NaN.

        Raises
        ------
        ValueError
            If they are to be errors.
        """
        if value:
            raise ValueError("magnitudes of negative fluxes are NaN here, never an error; ask numpy.isnan")

    def getFluxMag0(self) -> tuple[float, float]:
        """Return the counts of magnitude 0, and their error."""
        return self.own.flux_mag0, self.own.flux_mag0_err

    def getInstFluxAtZeroMagnitude(self) -> float:
        """Return the counts of magnitude 0."""
        return self.own.flux_mag0

    def getCalibrationMean(self) -> float:
        """Return the nanojansky of one count, without a correction that varies over the image."""
        return float(10.0 ** (0.4 * NANOJANSKY_ZERO_POINT) / self.own.flux_mag0)

    def getCalibrationErr(self) -> float:
        """Return the error of `getCalibrationMean`."""
        return self.getCalibrationMean() * self.own.flux_mag0_err / self.own.flux_mag0

    @property
    def _isConstant(self) -> bool:
        """Whether it is the same over the whole image."""
        return self.own.correction is None

    def getMagnitude(self, flux: Any, error: Any = None) -> Any:  # noqa: ANN401 - numbers or arrays
        """Return magnitudes of fluxes by the mean calibration; with errors of the fluxes also those of magnitudes."""
        magnitude = replace(self.own, correction=None).magnitude(flux)
        plain = magnitude if np.ndim(flux) else float(magnitude)
        return plain if error is None else (plain, _MAG_PER_FRACTION * np.asarray(error) / np.asarray(flux))

    def instFluxToMagnitude(self, flux: Any, *more: Any) -> Any:  # noqa: ANN401 - as the stack takes them
        """Return magnitudes of fluxes or of sources.

        Parameters
        ----------
        flux : float, array, SourceRecord or SourceCatalog
            Fluxes, counts; or sources.
        *more : object
            For fluxes: their errors, which give errors too, and a point, at which a calibration that varies over the
            image is taken; the mean is taken without one. For sources: the name of the flux, such as ``slot_PsfFlux``.

        Returns
        -------
        float, Measurement or ndarray
            Magnitude; with its error for a flux with an error or for a source, with shape (n, 2) for a catalog.
        """
        return self._convert(flux, more, _magnitude_error, "magnitude")

    def instFluxToNanojansky(self, flux: Any, *more: Any) -> Any:  # noqa: ANN401 - as the stack takes them
        """Return flux densities, nanojansky; arguments as of `instFluxToMagnitude`."""
        return self._convert(flux, more, _density_error, "nanojansky")

    def _convert(self, flux: Any, more: tuple[Any, ...], error_of: ErrorRule, unit: str) -> Any:  # noqa: ANN401 - as above
        place: Any = None
        error: Any = None
        is_source = hasattr(flux, "getX") and more and isinstance(more[0], str)
        if is_source:
            source, name = flux, str(more[0])
            flux, error = (source.get(f"{name}_{part}") for part in ("instFlux", "instFluxErr"))
            place = source.getX(), source.getY()
        else:
            place = next((tuple(one) for one in more if isinstance(one, Point2D)), None)
            error = next((one for one in more if not isinstance(one, Point2D)), None)
        own = self.own if place is not None else replace(self.own, correction=None)
        at = {} if place is None or own.correction is None else {"x": place[0], "y": place[1]}
        value = getattr(own, unit)(flux, **at)
        plain = value if np.ndim(value) else float(value)
        if error is None:
            return plain
        errors = error_of(np.asarray(flux), np.asarray(error), value)
        if is_source and np.ndim(value):
            return np.stack([value, errors], axis=1)
        return Measurement(plain, errors if np.ndim(errors) else float(errors))

    def calibrateCatalog(self, catalog: Any, instFluxFields: Sequence[str] = ()) -> Any:  # noqa: ANN401 - a catalog
        """Return a catalog with magnitudes and nanojansky of its fluxes beside them.

        Parameters
        ----------
        catalog : SourceCatalog
            The sources.
        instFluxFields : sequence of str, optional
            Names of fluxes, such as ``base_PsfFlux``; all that the catalog has if absent.
        """
        ending = "_instFlux"
        found = [name.removesuffix(ending) for name in catalog.getSchema().getNames() if name.endswith(ending)]
        values = catalog.catalog.select(slice(None))
        for name in instFluxFields or found:
            for part, unit in (("mag", "mag"), ("flux", "nJy")):
                convert = self.instFluxToMagnitude if part == "mag" else self.instFluxToNanojansky
                for column, error in zip(convert(catalog, name).T, ("", "Err"), strict=True):
                    values.add(f"{name}_{part}{error}", column, unit, f"calibrated {name}")
        return type(catalog)(values)

    def calibrateImage(self, image: MaskedImageF) -> MaskedImageF:
        """Return an image in nanojansky."""
        planes = image.planes
        x, y = image.getX0(), image.getY0()
        varies = (
            1.0 if self.own.correction is None else self.own.correction.shifted(x=x, y=y).factor_image(planes.shape)
        )
        factor = np.float32(self.getCalibrationMean()) * np.asarray(varies, np.float32)
        made = MaskedImageF(MaskedImage(planes.image * factor, planes.mask.copy(), planes.variance * factor**2))
        made.setXY0(x, y)
        return made

    def magnitudeToInstFlux(self, magnitude: Any) -> Any:  # noqa: ANN401 - numbers or arrays
        """Return the counts of magnitudes."""
        return self.own.flux_mag0 * 10.0 ** (-0.4 * np.asarray(magnitude))

    def __repr__(self) -> str:
        return f"PhotoCalib(zero point {self.own.zero_point:.4f} mag, 1 nJy is {NANOJANSKY_ZERO_POINT} mag)"


class Calib(PhotoCalib):
    """A zero point in the words of stacks before 2019.

    Parameters
    ----------
    own : obs.image.photo_calib.PhotoCalib, float, PropertySet or mapping, optional
        The calibration of `obs`, the counts of magnitude 0, or a header with FLUXMAG0; nothing is known if absent.
    error : float, optional
        Error of the counts.
    """

    def __init__(
        self, own: OwnPhotoCalib | float | PropertySet | Mapping[str, Any] | None = None, error: float = 0.0
    ) -> None:
        if own is None:
            return
        if isinstance(own, int | float):
            self.setFluxMag0(own, error)
        else:
            super().__init__(own)

    def setFluxMag0(self, flux: float, error: float = 0.0) -> None:
        """Set the counts of magnitude 0.

        Raises
        ------
        ValueError
            If they are not positive.
        """
        if not flux > 0:
            raise ValueError(f"the counts of magnitude 0 are a positive number, got {flux}")
        self.own = OwnPhotoCalib(float(flux), float(error))


@frozen
class FilterProperty:
    """What is known about a filter besides its names.

    Parameters
    ----------
    name : str
        Its name.
    wavelength : float
        Effective wavelength, nm.
    """

    name: str
    wavelength: float

    def getName(self) -> str:
        """Return the name, as in the LSST stack."""
        return self.name

    def getLambdaEff(self) -> float:
        """Return the effective wavelength, nm."""
        return self.wavelength


class Filter(SaysWhatInstead):
    """A filter, by its name; those that are defined are known by their other names, too.

    Parameters
    ----------
    name : str, PropertySet or mapping
        The name, or a header with FILTER.
    band : str, optional
        Name of the wavelength range.
    """

    _defined: ClassVar[dict[str, str]] = {}

    def __init__(self, name: str | PropertySet | Mapping[str, Any] = "", band: str = "") -> None:
        self.physicalLabel = name if isinstance(name, str) else str(name.get("FILTER", "")).strip()
        self.bandLabel = band

    def getName(self) -> str:
        """Return the name, as in the LSST stack."""
        return self.physicalLabel

    def getCanonicalName(self) -> str:
        """Return the name under which the filter was defined; its own name if it was not."""
        return self._defined.get(self.physicalLabel, self.physicalLabel)

    def getAliases(self) -> list[str]:
        """Return the other names of the filter, sorted."""
        own = self.getCanonicalName()
        return sorted(name for name, canonical in self._defined.items() if canonical == own != name)

    def getFilterProperty(self) -> FilterProperty:
        """Return the wavelength of the filter, from the cameras that are installed.

        Raises
        ------
        NotFoundError
            If none knows the filter and its wavelength.
        """
        names = {self.physicalLabel, self.getCanonicalName()}
        for found in discover().instruments.values():
            for one in found.instrument.filters:
                if names & {one.physical_filter, *one.aliases} and not np.isnan(one.effective_wavelength):
                    return FilterProperty(self.physicalLabel, one.effective_wavelength)
        raise NotFoundError(
            f"no camera that is installed knows the wavelength of filter '{self}'; obs cameras lists them, and their "
            "effective_wavelength gives it"
        )

    @classmethod
    def getNames(cls) -> list[str]:
        """Return the names of all filters that were defined, sorted, without their other names."""
        return sorted(set(cls._defined.values()))

    @classmethod
    def define(cls, name: str, aliases: Sequence[str] = ()) -> None:
        """Make a filter known, with its other names."""
        cls._defined.update(dict.fromkeys((name, *aliases), name))

    @classmethod
    def reset(cls) -> None:
        """Forget all filters that were defined."""
        cls._defined.clear()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self.getCanonicalName() == other.getCanonicalName()

    def __hash__(self) -> int:
        return hash(self.getCanonicalName())

    def __str__(self) -> str:
        return self.physicalLabel

    def __repr__(self) -> str:
        return f"Filter({self.physicalLabel!r})"


FilterLabel = Filter
