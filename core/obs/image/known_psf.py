"""A PSF of another exposure of the same detector."""

from obs.frozen import frozen
from obs.image.psf import PixelPsf

__all__ = ["KnownPsf"]


@frozen
class KnownPsf:
    """A PSF, and the exposure whose stars it was fitted to.

    Parameters
    ----------
    psf : PixelPsf
        The PSF.
    exposure : str
        Data ID or file name of that exposure.
    date : str
        When that exposure was taken, ISO 8601; empty where not known.
    """

    psf: PixelPsf
    exposure: str
    date: str = ""

    def __str__(self) -> str:
        """Name the exposure and its date."""
        return f"{self.exposure} of {self.date}" if self.date else self.exposure
