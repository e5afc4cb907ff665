"""Places on the sky and a distorted WCS there, for the tests of WCS, cards and fit."""

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from obs.image.wcs import TanSipWcs

X, Y = (part.ravel() for part in np.meshgrid(np.linspace(-20, 2068, 13), np.linspace(-20, 1400, 11)))
PLACES = [(10.0, 0.5), (359.999, -1.2), (0.0001, 45.0), (123.0, 89.93), (77.0, -89.99), (200.0, 90.0)]


def make_wcs(crval=(10.0, 0.5), angle=0.3, parity=-1.0, strength=1.0):
    cosine, sine = np.cos(angle), np.sin(angle)
    cd = 1.1e-4 * np.array([[parity * cosine, -sine], [parity * sine, cosine]])
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[2, 0], a[1, 1], a[0, 2], a[3, 0] = np.array([2e-6, -1e-6, 3e-7, 1e-9]) * strength
    b[2, 0], b[1, 1], b[0, 2], b[0, 3] = np.array([-5e-7, 2e-6, 1e-6, -2e-9]) * strength
    return TanSipWcs(crval, (1023.5, 680.0), cd, a, b)


def astropy_wcs(wcs):
    header = fits.Header()
    header.update(wcs.to_header())
    return WCS(header)


def separation(ra_1, dec_1, ra_2, dec_2):
    """Angle, degrees."""
    ra_1, dec_1, ra_2, dec_2 = map(np.deg2rad, (ra_1, dec_1, ra_2, dec_2))
    half = np.sin((dec_1 - dec_2) / 2) ** 2 + np.cos(dec_1) * np.cos(dec_2) * np.sin((ra_1 - ra_2) / 2) ** 2
    return np.rad2deg(2 * np.arcsin(np.sqrt(half)))
