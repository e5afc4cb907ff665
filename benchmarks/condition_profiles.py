"""PSFs of `condition_frames.py`: GalSim profiles of unit flux, as functions of the place on the frame."""

from collections.abc import Callable
from typing import Any

import galsim
import numpy as np

__all__ = [
    "FINE",
    "Profile",
    "aureole",
    "coma",
    "donut",
    "drift",
    "ellipse",
    "focus",
    "jump",
    "moffat",
    "optics",
    "rotating",
    "spikes",
    "trail",
    "turbulence",
    "varying",
]

FINE = galsim.GSParams(folding_threshold=2e-3, maximum_fft_size=16384)
Profile = Callable[[float, float], Any]
"""A profile of unit flux, as a function of the place on the frame, -1 to 1 in x and y."""


def moffat(fwhm: float, beta: float = 3.5) -> Profile:
    """Return seeing, the same everywhere. The smaller ``beta``, the wider are the wings."""
    profile = galsim.Moffat(beta=beta, fwhm=fwhm, gsparams=FINE)
    return lambda _u, _v: profile


def turbulence(fwhm: float) -> Profile:
    """Return the seeing that theory has, of wide wings."""
    profile = galsim.Kolmogorov(fwhm=fwhm, gsparams=FINE)
    return lambda _u, _v: profile


def optics(fwhm: float) -> Profile:
    """Return the narrow stars of a lens on large pixels: a Gaussian, without wings."""
    profile = galsim.Gaussian(fwhm=fwhm, gsparams=FINE)
    return lambda _u, _v: profile


def trail(fwhm: float, length: float, degrees: float = 30.0) -> Profile:
    """Return stars drawn out along a line, as by a mount that does not follow."""
    line = galsim.Box(length, 0.1, gsparams=FINE).rotate(degrees * galsim.degrees)
    profile = galsim.Convolve(galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE), line)
    return lambda _u, _v: profile


def ellipse(fwhm: float, ratio: float, degrees: float = 30.0) -> Profile:
    """Return elliptical stars, ``fwhm`` along the major axis."""
    star = galsim.Moffat(beta=3.5, fwhm=fwhm * np.sqrt(ratio), gsparams=FINE)
    profile = star.shear(q=ratio, beta=degrees * galsim.degrees)
    return lambda _u, _v: profile


def donut(diameter: float, hole: float = 0.4, blur: float = 2.5) -> Profile:
    """Return defocused stars: the image of a telescope's pupil, with the hole of its secondary mirror."""
    disc = galsim.TopHat(diameter / 2, gsparams=FINE) - hole**2 * galsim.TopHat(hole * diameter / 2, gsparams=FINE)
    profile = galsim.Convolve(disc.withFlux(1.0), galsim.Gaussian(fwhm=blur, gsparams=FINE))
    return lambda _u, _v: profile


def jump(fwhm: float, dx: float, dy: float, part: float) -> Profile:
    """Return double stars, as where the guiding jumped during the exposure."""
    star = galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE)
    profile = (1.0 - part) * star + part * star.shift(dx, dy)
    return lambda _u, _v: profile


def coma(fwhm: float, strength: float) -> Profile:
    """Return stars with tails that point away from the middle and grow with the distance from it."""

    def at(u: float, v: float) -> Any:  # noqa: ANN401 - galsim has no types
        star = galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE)
        tail = [star.dilate(1 + 0.25 * k).shift(strength * k * u, strength * k * v) for k in (1, 2, 3)]
        return 0.55 * star + 0.22 * tail[0] + 0.14 * tail[1] + 0.09 * tail[2]

    return at


def varying(fwhm: float) -> Profile:
    """Return seeing whose width and shape change over the frame, as those of a wide field."""
    return lambda u, v: galsim.Moffat(beta=3.5, fwhm=fwhm * (1 + 0.2 * (u * u + v * v)), gsparams=FINE).shear(
        g1=0.1 * u, g2=0.1 * v
    )


def spikes(fwhm: float, part: float, length: float) -> Profile:
    """Return seeing with the spikes of four vanes, which hold a part of the light and fall off over a length."""
    line = [galsim.Box(k * length, 0.2, gsparams=FINE) for k in (1, 2, 4)]
    cross = [bar.rotate(angle * galsim.degrees) for bar in line for angle in (20.0, 110.0)]
    core = galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE)
    profile = (1.0 - part) * core + part / len(cross) * galsim.Convolve(galsim.Add(cross), core)
    return lambda _u, _v: profile


def aureole(fwhm: float, part: float, width: float) -> Profile:
    """Return seeing with a halo that holds a part of the light, as of dew or dust on the optics, or of a thin cloud."""
    core = galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE)
    profile = (1.0 - part) * core + part * galsim.Moffat(beta=2.0, fwhm=width, trunc=4 * width, gsparams=FINE)
    return lambda _u, _v: profile


def focus(least: float, most: float) -> Profile:
    """Return stars whose width changes along the columns, as on a tilted detector."""
    return lambda u, _v: galsim.Moffat(beta=3.5, fwhm=least + 0.5 * (most - least) * (1 + u), gsparams=FINE)


def drift(fwhm: float, least: float, most: float) -> Profile:
    """Return stars of a drift scan whose detector moves slower than the sky: trails along x, longer with y."""

    def at(_u: float, v: float) -> Any:  # noqa: ANN401 - galsim has no types
        line = galsim.Box(least + 0.5 * (most - least) * (1 + v), 0.1, gsparams=FINE)
        return galsim.Convolve(galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE), line)

    return at


def rotating(fwhm: float, longest: float) -> Profile:
    """Return stars of a camera that turns about the middle of the frame: trails around it, longer with the distance."""

    def at(u: float, v: float) -> Any:  # noqa: ANN401 - galsim has no types
        length, angle = longest * np.hypot(u, v) / np.sqrt(2), np.arctan2(u, -v)
        line = galsim.Box(max(length, 0.1), 0.1, gsparams=FINE).rotate(angle * galsim.radians)
        return galsim.Convolve(galsim.Moffat(beta=3.5, fwhm=fwhm, gsparams=FINE), line)

    return at
