"""Columns of the catalogs, from catalogs: a small field of stars is processed while the guide is built."""

from typing import Any

import numpy as np

from generator.markdown import code, escape, table
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import PLANE_MEANINGS, Mask
from obs.image.masked_image import MaskedImage
from obs.image.wcs import TanSipWcs
from obs.process_summary import ProcessSummary
from obs.stages import Stages
from obs.tasks.process_config import ProcessConfig

__all__ = ["catalog_pages"]

_SHAPE = (400, 400)
_SIGMA, _SKY, _GAIN = 1.8, 100.0, 2.0
_MEANINGS = {
    "src": "Sources detected and measured on `calexp`. Positions and fluxes whose flag is set are not to be trusted.",
    "icSrc": "The bright sources that the PSF and the aperture correction rest on.",
    "srcMatch": "Which source is which object of the reference catalog.",
}


def catalog_pages() -> dict[str, str]:
    """Return the pages by file name."""
    catalogs = _process_stars()
    parts = [
        "# Catalog columns\n",
        "Catalogs are FITS binary tables, and Parquet where asked for (`-c calibrate.parquet=true`). Column names are "
        "those of the LSST stack. Every column carries its unit and this description in the file. Pixels are 0-based, "
        "with integers at their centers; fluxes are counts, which `FLUXMAG0` of `calexp` turns into magnitudes.\n",
    ]
    for name, meaning in _MEANINGS.items():
        rows = (
            (
                code(column),
                code(catalogs[name].columns[column].unit),
                escape(catalogs[name].columns[column].description),
            )
            for column in catalogs[name].columns
        )
        parts += [f"## {name}\n", f"{meaning}\n", table(("column", "unit", "what it is"), rows)]
    parts.append("`srcMatchFull` has the columns of the reference catalog behind `ref_`, and of `src` behind `src_`.\n")
    planes = table(("plane", "a pixel is"), ((code(name), escape(text)) for name, text in PLANE_MEANINGS.items()))
    mask = f"""\
# Mask planes

A mask is an image of integers, each bit of which is a plane. Which bit is which plane stands in the header of the mask:
a card `MP_NAME` for each. Ask for planes by name, never by bit: files of other origin have them in another order.

{planes}"""
    return {"catalog-columns": "\n".join(parts), "mask-planes": mask}


def _process_stars() -> dict[str, Any]:
    """Return what the processing of a field of stars writes, by dataset type."""
    exposure, reference = _stars()
    written: dict[str, Any] = {}
    stages = Stages(
        lambda value, name: written.__setitem__(name, value), ProcessSummary(), exposure_id=1, exposure_id_bits=32
    )
    config = ProcessConfig()
    found = stages.characterize(exposure, config.characterize)
    done = stages.calibrate(found, config.calibrate, band="r", load_reference=lambda ra, dec, radius: reference)
    stages.write(done, config.calibrate, "r")
    return written


def _stars() -> tuple[Exposure, Catalog]:
    """Return an exposure of stars on a jittered grid, and the catalog that knows them."""
    random = np.random.default_rng(1)
    grid = np.arange(40.0, 370.0, 45.0)
    x, y = (axis.ravel() + random.uniform(-5, 5, axis.size) for axis in np.meshgrid(grid, grid))
    flux = 10 ** random.uniform(3.8, 5.2, x.size)
    rows, columns = np.mgrid[: _SHAPE[0], : _SHAPE[1]]
    light = np.zeros(_SHAPE)
    for star in zip(x, y, flux, strict=True):
        distance = (columns - star[0]) ** 2 + (rows - star[1]) ** 2
        light += star[2] * np.exp(-0.5 * distance / _SIGMA**2) / (2 * np.pi * _SIGMA**2)
    image = random.poisson((light + _SKY) * _GAIN) / _GAIN
    header = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0}
    header |= {"CRPIX1": 200.5, "CRPIX2": 200.5, "CD1_1": -1e-4, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-4}
    wcs = TanSipWcs.from_header(header)
    pixels = MaskedImage(image.astype(np.float32), Mask.zeros(_SHAPE), (image / _GAIN).astype(np.float32))
    ra, dec = wcs.pixel_to_sky(x=x, y=y)
    reference = Catalog()
    reference.add("id", np.arange(x.size))
    reference.add("coord_ra", ra, "deg")
    reference.add("coord_dec", dec, "deg")
    reference.add("r_flux", flux, "nJy")
    return Exposure(pixels, wcs=wcs, physical_filter="r"), reference
