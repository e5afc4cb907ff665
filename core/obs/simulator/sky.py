"""Stars and galaxies that are at the same place however often one looks.

The sky is divided in cells of a tenth of a degree; what a cell holds depends on the seed and the cell alone.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.catalog import Catalog
from obs.instrument.instrument import FilterDefinition
from obs.simulator.config import ReferenceConfig, SourceConfig
from obs.simulator.seeds import generator
from obs.sky_vectors import sky_vectors

__all__ = ["BANDS", "magnitudes", "make_sky", "reference_catalog", "select_circle"]

Floats = NDArray[np.float64]

#: Bands for which every source has a magnitude, with their effective wavelengths, nm.
BANDS = {"u": 365.0, "g": 475.0, "r": 620.0, "i": 760.0, "z": 890.0, "y": 980.0}

_CELL = 0.1  # degrees
_BITS_IN_CELL, _BITS_IN_BAND = 24, 12
_NANOJANSKY_OF_ZERO = 3631e9
_COLUMNS = {
    "id": ("", "number of the source"),
    "coord_ra": ("deg", "right ascension"),
    "coord_dec": ("deg", "declination"),
    "is_star": ("", "whether it is a point"),
    **{f"mag_{band}": ("mag", f"AB magnitude in {band}") for band in BANDS},
    "half_light_radius": ("arcsec", "longer half axis of the ellipse with half of the light; 0 for stars"),
    "axis_ratio": ("", "shorter to longer axis; 1 for stars"),
    "position_angle": ("deg", "longer axis, from north through east"),
    "is_de_vaucouleurs": ("", "whether a galaxy has de Vaucouleurs' profile rather than an exponential one"),
}


def make_sky(config: SourceConfig, *, ra: float, dec: float, radius: float, seed: int) -> Catalog:
    """Return the sources within a circle.

    Parameters
    ----------
    config : SourceConfig
        What there is.
    ra, dec : float
        Center, degrees.
    radius : float
        Radius, degrees.
    seed : int
        Seed of the simulation.

    Returns
    -------
    Catalog
        Ids, ``coord_ra`` and ``coord_dec`` in degrees, ``mag_u`` to ``mag_y``, shapes.
    """
    cells = [_fill(config, band, cell, seed) for band, cell in _cells(ra, dec, radius)]
    catalog = Catalog()
    for name, (unit, description) in _COLUMNS.items():
        catalog.add(name, np.concatenate([cell[name] for cell in cells]), unit, description)
    return select_circle(catalog, ra=ra, dec=dec, radius=radius)


def select_circle(catalog: Catalog, *, ra: float, dec: float, radius: float) -> Catalog:
    """Return the rows within a circle, degrees.

    Parameters
    ----------
    catalog : Catalog
        Sources with ``coord_ra`` and ``coord_dec``, degrees, and the other columns of `make_sky`.
    ra, dec : float
        Center of the circle, degrees.
    radius : float
        Radius, degrees.

    Raises
    ------
    FileFormatError
        If the catalog does not have a column that the simulator needs.
    """
    missing = [name for name in _COLUMNS if name not in catalog]
    if missing:
        raise FileFormatError(
            f"the catalog of sources has no column {', '.join(missing)}; for an example, look at a truth catalog of "
            "obs simulate"
        )
    chord = np.linalg.norm(sky_vectors(catalog["coord_ra"], catalog["coord_dec"]) - sky_vectors(ra, dec), axis=1)
    return catalog.select(chord <= 2.0 * np.sin(np.radians(min(radius, 180.0)) / 2.0))


def magnitudes(catalog: Catalog, known: FilterDefinition) -> Floats:
    """Return AB magnitudes in a filter, shape (n,).

    They are those of its band; of a band beside `BANDS`, interpolated at the filter's wavelength, or those in r where
    it has none.

    Parameters
    ----------
    catalog : Catalog
        Sources with columns ``mag_BAND``.
    known : FilterDefinition
        The filter, with its band and effective wavelength.
    """
    if known.band in BANDS:
        return catalog[f"mag_{known.band}"]
    wavelength = known.effective_wavelength
    if not np.isfinite(wavelength):
        return catalog["mag_r"]
    names, nodes = list(BANDS), np.array(list(BANDS.values()))
    above = int(np.clip(np.searchsorted(nodes, wavelength), 1, len(nodes) - 1))
    weight = float(np.clip((wavelength - nodes[above - 1]) / (nodes[above] - nodes[above - 1]), 0.0, 1.0))
    bluer, redder = catalog[f"mag_{names[above - 1]}"], catalog[f"mag_{names[above]}"]
    interpolated: Floats = (1.0 - weight) * bluer + weight * redder
    return interpolated


def reference_catalog(
    sky: Catalog, filters: tuple[FilterDefinition, ...], config: ReferenceConfig, *, seed: int
) -> Catalog:
    """Return what a survey would list of the stars in the sky: positions and fluxes in all bands, with errors.

    Parameters
    ----------
    sky : Catalog
        As from `make_sky`.
    filters : tuple of FilterDefinition
        Filters; their bands get columns beside those of `BANDS`.
    config : ReferenceConfig
        Limits and errors.
    seed : int
        Seed of the simulation.

    Returns
    -------
    Catalog
        ``id``, ``coord_ra``, ``coord_dec`` in degrees, ``<band>_flux`` and ``<band>_fluxErr`` in nanojansky.
    """
    stars = sky.select(sky["is_star"] & (sky["mag_r"] < config.faint))
    random = generator(seed, "reference")
    error = config.position_error / 3600.0
    offsets = random.normal(0.0, 1.0, (2, len(stars))) * error
    reference = Catalog()
    reference.add("id", stars["id"], "", "number of the star, as in the truth catalogs")
    ra = stars["coord_ra"] + offsets[0] / np.cos(np.radians(stars["coord_dec"]))
    reference.add("coord_ra", np.mod(ra, 360.0), "deg", "right ascension")
    reference.add("coord_dec", np.clip(stars["coord_dec"] + offsets[1], -90.0, 90.0), "deg", "declination")
    for name in ("pm_ra", "pm_dec", "epoch"):
        if name in stars:
            column = stars.columns[name]
            reference.add(name, column.data, column.unit, column.description)
    bands = {band: FilterDefinition(physical_filter=band, band=band) for band in BANDS}
    bands |= {known.band: known for known in filters if known.band not in BANDS}
    for band, known in bands.items():
        scatter = random.normal(0.0, 1.0, len(stars)) * config.error
        flux = _NANOJANSKY_OF_ZERO * 10.0 ** (-0.4 * (magnitudes(stars, known) + scatter))
        reference.add(f"{band}_flux", flux, "nJy", f"flux in {band}")
        reference.add(
            f"{band}_fluxErr", flux * config.error * np.log(10.0) / 2.5, "nJy", f"error of the flux in {band}"
        )
    return reference


def _cells(ra: float, dec: float, radius: float) -> Iterator[tuple[int, int]]:
    """Give the band of declination and the number in it of all cells that a circle can touch."""
    count = round(180.0 / _CELL)
    low = max(0, int((dec - radius + 90.0) // _CELL))
    high = min(count - 1, int((dec + radius + 90.0) // _CELL))
    # Half of the right ascensions that the circle covers; all of them if a pole is in it.
    ratio = np.sin(np.radians(radius)) / max(np.cos(np.radians(dec)), 1e-9)
    half = 180.0 if abs(dec) + radius >= 90.0 else float(np.degrees(np.arcsin(min(ratio, 1.0))))
    for band in range(low, high + 1):
        around = _cells_around(band)
        reach = min(180.0, half + 1e-6)
        first, last = int((ra - reach) // (360.0 / around)), int((ra + reach) // (360.0 / around))
        for cell in sorted({cell % around for cell in range(first, last + 1)}):
            yield band, cell


def _cells_around(band: int) -> int:
    """Return the number of cells in a band of declination."""
    return max(1, round(360.0 * float(np.cos(np.radians((band + 0.5) * _CELL - 90.0))) / _CELL))


def _fill(config: SourceConfig, band: int, cell: int, seed: int) -> dict[str, NDArray[np.generic]]:
    """Return the sources of a cell."""
    random = generator(seed, "sky", band, cell)
    around = _cells_around(band)
    low, high = np.sin(np.radians(band * _CELL - 90.0)), np.sin(np.radians((band + 1) * _CELL - 90.0))
    area = np.degrees(high - low) * 360.0 / around
    n = int(random.poisson(config.density * area))
    number = ((band << _BITS_IN_BAND) + cell) << _BITS_IN_CELL
    ra = (cell + random.random(n)) * 360.0 / around
    dec = np.degrees(np.arcsin(random.uniform(low, high, n)))
    is_star = random.random(n) >= config.galaxy_fraction
    bright = np.where(is_star, config.bright, config.galaxy_bright)
    ratio = 10.0 ** (config.slope * (bright - config.faint))
    mag_r = config.faint + np.log10(ratio + random.random(n) * (1.0 - ratio)) / config.slope
    colors = _colors(random, is_star)
    size = config.galaxy_size * 10.0 ** (0.1 * (config.faint - mag_r) + random.normal(0.0, 0.15, n))
    return {
        "id": number + np.arange(n, dtype=np.int64),
        "coord_ra": ra,
        "coord_dec": dec,
        "is_star": is_star,
        **{f"mag_{name}": mag_r + colors[name] for name in BANDS},
        "half_light_radius": np.where(is_star, 0.0, np.clip(size, 0.1, 6.0)),
        "axis_ratio": np.where(is_star, 1.0, random.uniform(0.3, 1.0, n)),
        "position_angle": random.uniform(0.0, 180.0, n),
        "is_de_vaucouleurs": ~is_star & (random.random(n) < 0.3),
    }


def _colors(random: np.random.Generator, is_star: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return each band's magnitude minus that in r: roughly the stellar locus, and galaxies at moderate redshift."""
    n = len(is_star)
    blue_to_red = np.where(is_star, random.beta(1.3, 1.3, n) * 1.2 + 0.25, random.normal(0.7, 0.25, n))
    scatter = random.normal(0.0, 0.02, (3, n))
    ultraviolet = np.where(is_star, 2.2 * blue_to_red, 1.6 * blue_to_red)
    cool = np.maximum(blue_to_red - 1.2, 0.0)
    near = 0.42 * blue_to_red - 0.05 + 2.0 * cool + scatter[0]
    return {
        "u": ultraviolet + 0.3 + scatter[2],
        "g": blue_to_red,
        "r": np.zeros(n),
        "i": -near,
        "z": -near - 0.5 * near + scatter[1],
        "y": -near - 0.8 * near + scatter[1],
    }
