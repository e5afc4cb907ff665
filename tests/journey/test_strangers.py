"""Folders of raw files by programs and observatories that nobody here has met: to catalogs without an edited line."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from raw_night import Camera, Night, maxim_cards, nina_cards, sharpcap_cards

from journey import Journey
from obs.repo.butler import Butler

OVERSCAN = 24


def one_image(folder: Path):
    """Return a writer of one image a file."""

    def write(number, kind, pixels, cards):
        fits.PrimaryHDU(pixels, fits.Header(cards)).writeto(folder / f"{kind}_{number:04d}.fits")

    return write


def image_with_overscan(folder: Path):
    """Return a writer of images whose last columns are overscan, as no card says."""
    random = np.random.default_rng(5)

    def write(number, kind, pixels, cards):
        drift = 4 * np.sin(number)
        overscan = 300.0 + drift + random.normal(0, 3.9, (pixels.shape[0], OVERSCAN))
        whole = np.hstack([np.clip(pixels + drift, 0, 65535), overscan]).round().astype(np.uint16)
        fits.PrimaryHDU(whole, fits.Header(cards)).writeto(folder / f"{kind}-{number:04d}.fit")

    return write


def cube_of_one_plane(folder: Path):
    def write(number, kind, pixels, cards):
        fits.PrimaryHDU(pixels[None], fits.Header(cards)).writeto(folder / f"{kind}{number:04d}.fits")

    return write


def four_amplifiers(folder: Path):
    """Return a writer of a file of four extensions, one an amplifier, each with overscan and its section cards."""
    random = np.random.default_rng(6)

    def write(number, kind, pixels, cards):
        primary = fits.PrimaryHDU(header=fits.Header([*cards, ("EXPNUM", number + 4000, "exposure number")]))
        hdus = [primary]
        ny, nx = pixels.shape[0] // 2, pixels.shape[1] // 2
        for index in range(4):
            row, column = divmod(index, 2)
            part = pixels[row * ny : (row + 1) * ny, column * nx : (column + 1) * nx]
            part = part[::-1] if row else part
            part = part[:, ::-1] if column else part
            overscan = 300 + random.normal(0, 3.9, (ny, OVERSCAN))
            image = fits.ImageHDU(np.hstack([part, overscan]).round().astype(np.uint16), name=f"AMP{index + 1}")
            x = (column * nx + 1, (column + 1) * nx)[:: -1 if column else 1]
            y = (row * ny + 1, (row + 1) * ny)[:: -1 if row else 1]
            image.header["DATASEC"] = f"[1:{nx},1:{ny}]"
            image.header["BIASSEC"] = f"[{nx + 1}:{nx + OVERSCAN},1:{ny}]"
            image.header["DETSEC"] = f"[{x[0]}:{x[1]},{y[0]}:{y[1]}]"
            image.header["DETSIZE"] = f"[1:{2 * nx},1:{2 * ny}]"
            image.header["GAIN"] = (0.9, "[e-/ADU]")
            image.header["RDNOISE"] = (3.5, "[e-]")
            hdus.append(image)
        fits.HDUList(hdus).writeto(folder / f"exp{number + 4000:06d}.fits")

    return write


def one_chip_a_file(folder: Path):
    """Return a writer of two files an exposure, one a chip, which a card names."""

    def write(number, kind, pixels, cards):
        half = pixels.shape[1] // 2
        for chip in (1, 2):
            header = fits.Header([*cards, ("EXPNUM", number + 700, "exposure number"), ("CHIP", chip, "chip number")])
            part = pixels[:, (chip - 1) * half : chip * half]
            fits.PrimaryHDU(part, header).writeto(folder / f"m{number + 700:06d}_{chip}.fits")

    return write


def one_amplifier_a_file(folder: Path):
    """Return a writer of two files an exposure, one an amplifier, with overscan and section cards."""
    random = np.random.default_rng(8)

    def write(number, kind, pixels, cards):
        half, ny = pixels.shape[1] // 2, pixels.shape[0]
        for amp in (1, 2):
            part = pixels[:, (amp - 1) * half : amp * half]
            part = part[:, ::-1] if amp == 2 else part
            overscan = 300 + random.normal(0, 3.9, (ny, OVERSCAN))
            x = (half + 1, 2 * half)[::-1] if amp == 2 else (1, half)
            header = fits.Header([*cards, ("EXPNUM", number + 700, "exposure number"), ("AMPID", amp, "amplifier")])
            header["DATASEC"] = f"[1:{half},1:{ny}]"
            header["BIASSEC"] = f"[{half + 1}:{half + OVERSCAN},1:{ny}]"
            header["DETSEC"] = f"[{x[0]}:{x[1]},1:{ny}]"
            header["DETSIZE"] = f"[1:{2 * half},1:{ny}]"
            header["GAIN"], header["RDNOISE"] = (0.9, "[e-/ADU]"), (3.5, "[e-]")
            image = np.hstack([part, overscan]).round().astype(np.uint16)
            fits.PrimaryHDU(image, header).writeto(folder / f"a{number + 700:06d}_{amp}.fits")

    return write


def color_image(folder: Path):
    """Return a writer of images of a color camera, as N.I.N.A. stores them."""

    def write(number, kind, pixels, cards):
        header = fits.Header([card for card in cards if card[0] not in ("FILTER", "FWHEEL")])
        header["BAYERPAT"], header["XBAYROFF"], header["YBAYROFF"] = "RGGB", 0, 0
        fits.PrimaryHDU(pixels, header).writeto(folder / f"{kind}_{number:04d}.fits")

    return write


NIGHTS = {
    "nina": (Camera(), nina_cards, one_image),
    "maxim": (Camera(scale=0.9, rotation=-1.0, mirrored=False, gain=1.3), maxim_cards, image_with_overscan),
    "sharpcap": (Camera(rotation=40.0), sharpcap_cards, cube_of_one_plane),
    "chips": (Camera(mirrored=False, rotation=0.5), nina_cards, one_chip_a_file),
    "ampfile": (Camera(mirrored=False, rotation=0.5), nina_cards, one_amplifier_a_file),
    "color": (Camera(mosaic="RGGB"), nina_cards, color_image),
    "quad": (Camera(mirrored=False, rotation=0.5), nina_cards, four_amplifiers),
}
FOUND = {
    "maxim": "overscan of amplifier 1 [641:664,1:500] pixels likely",
    "chips": "detector 1 CHIP",
    "sharpcap": "pixel_scale not known no WCS, and no other card gives",
    "color": "color_mosaic RGGB BAYERPAT certain",
    "ampfile": "layout one file an amplifier AMPID likely amplifiers 1, 2",
}
"""What `obs new` says, with single spaces."""
DETECTORS = {"chips": 2, "color": 3}


@pytest.mark.parametrize("name", NIGHTS)
def test_a_night_becomes_catalogs(name, tmp_path, capsys, monkeypatch):
    camera, cards, writer = NIGHTS[name]
    folder = tmp_path / "night"
    folder.mkdir()
    bands = ("",) if camera.mosaic else ("V", "R")
    stars = Night(camera, cards, writer(folder), bands).run()
    stars.write(tmp_path / "stars.csv")
    trip = Journey(tmp_path, capsys, monkeypatch)
    files = sorted(folder.glob("*.fit*"))
    trip.obs("new", name, "--no-input", "--from", *files)
    assert FOUND.get(name, "") in " ".join(trip.printed.split())
    trip.install(f"obs_{name}")
    trip.obs("check", name)
    known = ["--refcat", "stars.csv"] if name == "sharpcap" else []
    trip.obs("doctor", name, *files, "--no-picture", *known)
    assert "as one processed exposure shows" in trip.printed
    if known:
        shown = re.search(r"orientation +rotation (\S+) deg, flip_x (\w+), plate_scale (\S+) ", trip.printed)
        assert abs((float(shown[1]) + 90) % 180 - 90) == pytest.approx(camera.rotation, abs=0.1)
        assert float(shown[3]) == pytest.approx(camera.scale / 0.00463, rel=2e-3)
        assert "--refcat stars.csv --write" in trip.printed
        assert re.search(r"trial +zero point +[\d.]+ mag .* ok", trip.printed)
    trip.obs("init", "DATA", "--camera", name)
    trip.obs("ingest", "DATA", *files)
    assert f"{len(files)} ingested" in trip.printed
    trip.obs("ingest-refcat", "DATA", "stars", "stars.csv")
    for kind in ("bias", "dark", "flat"):
        trip.obs("calibs", "build", kind, "DATA", "--validity", "30")
    trip.obs("process", "DATA", "--output", "out", "--id", "dataType=science")
    results = trip.compare("out", stars, {"V": "V", "R": "R", "none": "V", "G": "V", "B": "B"})
    assert len(results) == 2 * DETECTORS.get(name, 1)
    if camera.mosaic:
        visit, color = next(iter(results))
        raw = Butler(tmp_path / "DATA").get("raw", visit=visit, ccd=color)
        assert raw.masked_image.image.shape == (camera.shape[0] // 2, camera.shape[1] // 2)
        assert raw.wcs.pixel_scale == pytest.approx(2 * camera.scale, rel=0.01)
        assert raw.physical_filter == color
    for distance, magnitude, n_star in results.values():
        assert n_star > 10, trip.printed
        assert distance < 0.05 * camera.scale * (2 if camera.mosaic else 1) + 0.05
        assert abs(magnitude) < 0.02
