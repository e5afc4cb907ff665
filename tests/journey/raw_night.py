"""Nights of raw files as programs at the telescope write them, of a field of stars that is known.

Nothing here comes from the simulator or the headers of `obs`: pixels are drawn star by star, and the cards are those
that each program is known to write.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS

from star_field import Moffat, stamp

RA, DEC = 200.0, 30.0
FWHM = 3.2
TRANSMISSION = {"R": 0.6, "G": 1.0, "B": 0.5}
"""Of the filters of a color mosaic."""
COLOR_BANDS = {"R": "R", "G": "V", "B": "B"}
"""The band that each of them lets pass."""


@dataclass
class Camera:
    """A detector at a telescope.

    Attributes
    ----------
    shape
        Rows and columns.
    scale
        Arcsec a pixel.
    rotation
        Of the camera, degrees.
    mirrored
        Whether the image is stored mirrored, as by programs that write the top row first.
    gain, read_noise, bias
        e-/ADU, e-, ADU.
    zero_point
        Magnitude of one electron a second.
    mosaic
        Color of each of the four pixels of a cell, the stored rows one after another; empty without a mosaic.
    """

    shape: tuple[int, int] = (500, 640)
    scale: float = 1.4
    rotation: float = 3.0
    mirrored: bool = True
    gain: float = 0.9
    read_noise: float = 3.5
    bias: float = 300.0
    zero_point: float = 21.5
    mosaic: str = ""
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(11))

    def wcs(self, ra, dec, *, flipped=False):
        """The true WCS at a pointing; ``flipped`` is the other side of the pier."""
        angle = np.radians(self.rotation + (180.0 if flipped else 0.0))
        parity = 1.0 if self.mirrored else -1.0
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [ra, dec]
        wcs.wcs.crpix = [(self.shape[1] + 1) / 2, (self.shape[0] + 1) / 2]
        wcs.wcs.cd = turn @ np.diag([parity * self.scale, self.scale]) / 3600
        return wcs

    def expose(self, electrons):
        """Return the raw pixels of an exposure."""
        if self.mosaic:
            cell = np.array([TRANSMISSION[color] for color in self.mosaic]).reshape(2, 2)
            electrons = electrons * np.tile(cell, np.array(self.shape) // 2)
        noisy = self.random.poisson(electrons) + self.random.normal(0.0, self.read_noise, electrons.shape)
        return np.clip(np.round(self.bias + noisy / self.gain), 0, 65535).astype(np.uint16)

    def light(self, seconds, wcs, stars, *, sky=40.0):
        """Return the electrons of an exposure of the stars: columns ra, dec, mag."""
        image = np.full(self.shape, sky * seconds / 10.0)
        x, y = wcs.all_world2pix(stars["ra"], stars["dec"], 0)
        flux = seconds * 10 ** (0.4 * (self.zero_point - stars["mag"]))
        profile, half = Moffat(FWHM), 14
        for sx, sy, amount in zip(x, y, flux, strict=True):
            column, row = round(float(sx)), round(float(sy))
            if not (-half < column < self.shape[1] + half and -half < row < self.shape[0] + half):
                continue
            pixels = amount * stamp(profile, sx - column, sy - row, half)
            rows, columns = np.arange(row - half, row + half + 1), np.arange(column - half, column + half + 1)
            in_rows, in_columns = (rows >= 0) & (rows < self.shape[0]), (columns >= 0) & (columns < self.shape[1])
            image[np.ix_(rows[in_rows], columns[in_columns])] += pixels[np.ix_(in_rows, in_columns)]
        return image * self.vignetting()

    def vignetting(self):
        y, x = np.mgrid[: self.shape[0], : self.shape[1]]
        radius = np.hypot(x - self.shape[1] / 2, y - self.shape[0] / 2) / max(self.shape)
        return 1.0 - 0.2 * radius**2


def make_stars(n=1200, spread=0.35, seed=3):
    """Return stars about the field: ra, dec, and magnitudes in V, R and B."""
    random = np.random.default_rng(seed)
    stars = Table()
    stars["ra"] = RA + random.uniform(-spread, spread, n) / np.cos(np.radians(DEC))
    stars["dec"] = DEC + random.uniform(-spread, spread, n)
    stars["V"] = 18.0 - 5.5 * random.power(1.6, n)[::-1] * random.random(n) ** 0.3
    stars["R"] = stars["V"] - random.uniform(0.3, 0.6, n)
    stars["B"] = stars["V"] + random.uniform(0.4, 0.9, n)
    return stars


def nina_cards(number, *, kind, seconds, when, band="", wcs=None, flipped=False, camera=None):
    """The cards that N.I.N.A. 3 writes; it gives exposures no number, and no read noise."""
    local = when + timedelta(hours=1)
    cards = [
        ("IMAGETYP", {"science": "LIGHT"}.get(kind, kind.upper()), "Type of exposure"),
        ("EXPOSURE", seconds, "[s] Exposure duration"),
        ("EXPTIME", seconds, "[s] Exposure duration"),
        ("DATE-LOC", local.isoformat(timespec="milliseconds"), "Time of observation (local)"),
        ("DATE-OBS", when.isoformat(timespec="milliseconds"), "Time of observation (UTC)"),
        ("XBINNING", 1, "X axis binning factor"),
        ("YBINNING", 1, "Y axis binning factor"),
        ("GAIN", 139, "Sensor gain"),
        ("OFFSET", 21, "Sensor gain offset"),
        ("EGAIN", camera.gain, "[e-/ADU] Electrons per A/D unit"),
        ("XPIXSZ", 3.8, "[um] Pixel X axis size"),
        ("YPIXSZ", 3.8, "[um] Pixel Y axis size"),
        ("INSTRUME", "ZWO ASI1600MM Pro", "Imaging instrument name"),
        ("SET-TEMP", -10.0, "[degC] CCD temperature setpoint"),
        ("CCD-TEMP", -10.0 + 0.1 * (number % 2), "[degC] CCD temperature"),
        ("TELESCOP", "Newton 10", "Name of telescope"),
        ("FOCALLEN", round(206.265 * 3.8 / camera.scale, 1), "[mm] Focal length"),
        ("FOCRATIO", 4.7, "Focal ratio"),
    ]
    if wcs is not None:
        ra, dec = wcs.wcs.crval
        cards += [
            ("RA", round(ra + 0.01, 6), "[deg] RA of telescope"),
            ("DEC", round(dec - 0.008, 6), "[deg] Declination of telescope"),
            ("AIRMASS", 1.12, "Airmass at frame center (Gueymard 1993)"),
            ("PIERSIDE", "West" if flipped else "East", "Telescope pointing state"),
            ("OBJECT", "M 3", "Name of the object of interest"),
            ("OBJCTRA", "13 20 00", "[H M S] RA of imaged object"),
            ("OBJCTDEC", "+30 00 00", "[D M S] Declination of imaged object"),
        ]
    if band:
        cards += [("FWHEEL", "ZWO EFW", "Filter Wheel name"), ("FILTER", band, "Active filter name")]
    cards += [
        ("SITEELEV", 410.0, "[m] Observation site elevation"),
        ("SITELAT", 48.2, "[deg] Observation site latitude"),
        ("SITELONG", 16.3, "[deg] Observation site longitude"),
        ("ROWORDER", "TOP-DOWN", "FITS Image Orientation"),
        ("EQUINOX", 2000.0, "Equinox of celestial coordinate system"),
        ("SWCREATE", "N.I.N.A. 3.1.2.9001 (x64)", "Software that created this file"),
    ]
    return cards


def maxim_cards(number, *, kind, seconds, when, band="", wcs=None, flipped=False, camera=None):
    """The cards that MaxIm DL 6 writes; its frames have no number either."""
    words = {"science": "Light Frame", "bias": "Bias Frame", "dark": "Dark Frame", "flat": "Flat Field"}
    cards = [
        ("DATE-OBS", when.isoformat(timespec="milliseconds")[:-1], "YYYY-MM-DDThh:mm:ss observation start, UT"),
        ("EXPTIME", seconds, "Exposure time in seconds"),
        ("EXPOSURE", seconds, "Exposure time in seconds"),
        ("SET-TEMP", -20.0, "CCD temperature setpoint in C"),
        ("CCD-TEMP", -20.03, "CCD temperature at start of exposure in C"),
        ("XPIXSZ", 9.0, "Pixel Width in microns (after binning)"),
        ("YPIXSZ", 9.0, "Pixel Height in microns (after binning)"),
        ("XBINNING", 1, "Binning factor in width"),
        ("YBINNING", 1, "Binning factor in height"),
        ("XORGSUBF", 0, "Subframe X position in binned pixels"),
        ("YORGSUBF", 0, "Subframe Y position in binned pixels"),
        ("READOUTM", "Monochrome", "Readout mode of image"),
        ("IMAGETYP", words[kind], "Type of image"),
        ("FOCALLEN", round(206.265 * 9.0 / camera.scale, 1), "Focal length of telescope in mm"),
        ("APTDIA", 400.0, "Aperture diameter of telescope in mm"),
        ("EGAIN", camera.gain, "Electronic gain in e-/ADU"),
        ("INSTRUME", "Apogee USB/Net", "instrument or camera used"),
        ("TELESCOP", "ACP->RC16", "telescope used to acquire this image"),
        ("SITELAT", "-35 20 10", "Latitude of the imaging location"),
        ("SITELONG", "149 05 30", "Longitude of the imaging location"),
        ("SWCREATE", "MaxIm DL Version 6.20 131103 1W2BX", "Name of software"),
    ]
    if band:
        cards.append(("FILTER", band, "Filter used when taking image"))
    if wcs is not None:
        ra, dec = wcs.wcs.crval
        cards += [
            ("OBJECT", "NGC 5272", ""),
            ("OBJCTRA", _sexagesimal(ra / 15.0 + 0.0005), "Nominal Right Ascension of center of image"),
            ("OBJCTDEC", _sexagesimal(dec - 0.006, sign=True), "Nominal Declination of center of image"),
            ("OBJCTALT", "64.3", "Nominal altitude of center of image"),
            ("AIRMASS", 1.1093, "Relative optical path length through atmosphere"),
            ("PIERSIDE", "WEST" if flipped else "EAST", "Side of pier telescope is on"),
        ]
    return cards


def sharpcap_cards(number, *, kind, seconds, when, band="", wcs=None, flipped=False, camera=None):
    """The cards that SharpCap 4 writes without a mount: neither pointing nor scale."""
    return [
        ("IMAGETYP", {"science": "Light"}.get(kind, kind.capitalize()), "Frame type"),
        ("EXPTIME", seconds, "[s] Exposure time"),
        ("DATE-OBS", when.isoformat(timespec="microseconds") + "0", "System Clock:Est. Frame Start"),
        ("DATE-END", (when + timedelta(seconds=seconds)).isoformat(timespec="microseconds") + "0", "Frame End"),
        ("GAIN", 250, "Camera gain setting"),
        ("BLKLEVEL", 20, "Camera black level"),
        ("EGAIN", camera.gain, "[e-/ADU] Electrons per ADU"),
        ("CCD-TEMP", -5.0, "[C] Sensor temperature"),
        ("XPIXSZ", 4.63, "[um] Pixel size"),
        ("YPIXSZ", 4.63, "[um] Pixel size"),
        ("XBINNING", 1, "Camera binning mode"),
        ("YBINNING", 1, "Camera binning mode"),
        ("INSTRUME", "ZWO ASI294MM Pro", "Camera model"),
        ("FILTER", band or "L", "Filter"),
        ("ROWORDER", "TOP-DOWN", ""),
        ("SWCREATE", "SharpCap v4.1.11817.0, 64 bit", ""),
    ]


def _sexagesimal(value, *, sign=False):
    total = round(abs(value) * 3600, 1)
    mark = ("-" if value < 0 else "+") if sign else ""
    return f"{mark}{int(total // 3600):02d} {int(total // 60 % 60):02d} {int(total % 60):02d}"


@dataclass
class Night:
    """Writes the exposures of a night: biases, darks, flats, and one science exposure on each side of a meridian flip.

    Attributes
    ----------
    camera
        The camera.
    cards
        Function that returns the cards of an exposure.
    write
        Called with the number and kind of the exposure, its pixels and its cards; writes one or several files.
    bands
        Names of the filters.
    flips
        Whether the mount crosses the meridian in the middle.
    """

    camera: Camera
    cards: Callable
    write: Callable
    bands: tuple[str, ...] = ("V", "R")
    flips: bool = True
    stars: Table = field(default_factory=make_stars)
    when: datetime = datetime(2026, 11, 20, 17, 0, 0)
    number: int = 0

    def expose(self, kind, electrons, seconds, **more):
        self.number += 1
        cards = self.cards(self.number, kind=kind, seconds=seconds, when=self.when, camera=self.camera, **more)
        self.write(self.number, kind, self.camera.expose(electrons), cards)
        self.when += timedelta(seconds=seconds + 2)

    def run(self):
        """Write all files; return the stars."""
        dark = np.zeros(self.camera.shape)
        for _ in range(4):
            self.expose("bias", dark, 0.0)
        for _ in range(3):
            self.expose("dark", dark + 3.0, 60.0)
        for band in self.bands:
            for level in (24000, 23500, 23000):
                self.expose("flat", level * self.camera.gain * self.camera.vignetting(), 2.0, band=band)
        self.when = datetime(2026, 11, 20, 21, 30, 0)
        for index in range(2):
            band, flipped = self.bands[index % len(self.bands)], self.flips and index == 1
            wcs = self.camera.wcs(RA + 0.002 * index, DEC, flipped=flipped)
            self.expose("science", self.light(wcs, band) + 3.0, 60.0, band=band, wcs=wcs, flipped=flipped)
        return self.stars

    def light(self, wcs, band):
        """Return the electrons of an exposure; behind a mosaic, of the band of each pixel's color."""
        if not self.camera.mosaic:
            table = Table({"ra": self.stars["ra"], "dec": self.stars["dec"], "mag": self.stars[band]})
            return self.camera.light(60.0, wcs, table)
        whole = np.empty(self.camera.shape)
        for number, color in enumerate(self.camera.mosaic):
            pixels = slice(number // 2, None, 2), slice(number % 2, None, 2)
            magnitude = self.stars[COLOR_BANDS[color]]
            table = Table({"ra": self.stars["ra"], "dec": self.stars["dec"], "mag": magnitude})
            whole[pixels] = self.camera.light(60.0, wcs, table)[pixels]
        return whole
