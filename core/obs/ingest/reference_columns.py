"""Which column of a published catalog is what, and how it is written in a reference catalog.

Settings have the names that users know from LSST's ``ingestReferenceCatalog``, as far as they have a counterpart. What
is not set is looked for under the usual names.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from obs.config.base import TaskConfig, setting
from obs.errors import ConfigError, suggest
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT, SYSTEM_KEY
from obs.ingest.coordinate_columns import coordinate_columns, unit_in_name
from obs.ingest.gaia_bands import GAIA_RELATIONS, estimate_band
from obs.ingest.magnitude_columns import error_column, find_flux_columns, find_magnitude_columns
from obs.ingest.sexagesimal import parse_angles

__all__ = ["ReferenceColumns", "ReferenceColumnsConfig", "find_columns", "modified_julian"]

Array = NDArray[Any]

MAX_MAGNITUDE = 50.0
"""Magnitudes beyond, of either sign, stand for a missing value in the catalogs that have them."""

_MAS = np.radians(1 / 3.6e6)
_ANGLES = {"rad": 1.0, "deg": np.radians(1.0), "degree": np.radians(1.0), "degrees": np.radians(1.0)}
_ANGLES |= {"arcsec": 1e3 * _MAS, "mas": _MAS, "milliarcsec": _MAS, "uas": 1e-3 * _MAS}
_HOURS = dict.fromkeys(("h", "hr", "hour", "hours", "hourangle"), np.radians(15.0))
#: Units by which tables announce texts, as astronomers' catalogs write them.
_TEXT_UNITS = {'"h:m:s"': "hour", "h:m:s": "hour", "hms": "hour", '"d:m:s"': "dms", "d:m:s": "dms", "dms": "dms"}
_FLUXES = {"nJy": 1.0, "uJy": 1e3, "mJy": 1e6, "Jy": 1e9, "mgy": 3631.0, "nmgy": 3631.0, "nanomaggy": 3631.0}
_MODIFIED_JULIAN_2000, _JULIAN_YEAR, _JULIAN_DATE = 51544.5, 365.25, 2400000.5

#: Most columns that a message lists.
_MOST_LISTED = 40

_USUAL = {
    "ra_name": (
        *("coord_ra", "ra", "ra_deg", "radeg", "ra_icrs", "raj2000", "ra_j2000", "_raj2000", "ramean", "ramdeg"),
        *("alpha_j2000", "alphawin_j2000", "ra_hms", "ra_hours", "ra_h", "right_ascension"),
    ),
    "dec_name": (
        *("coord_dec", "dec", "dec_deg", "decdeg", "de_icrs", "dej2000", "dec_j2000", "_dej2000", "decmean", "demdeg"),
        *("delta_j2000", "deltawin_j2000", "decl", "dec_dms", "declination"),
    ),
    "id_name": ("id", "source_id", "objid", "object_id", "objectid"),
    "pm_ra_name": ("pm_ra", "pmra"),
    "pm_dec_name": ("pm_dec", "pmdec", "pmde"),
    "pm_ra_err_name": ("pm_raerr", "pmra_error", "e_pmra"),
    "pm_dec_err_name": ("pm_decerr", "pmdec_error", "e_pmde"),
    "parallax_name": ("parallax", "plx"),
    "parallax_err_name": ("parallaxerr", "parallax_error", "e_plx"),
    "epoch_name": ("epoch", "ref_epoch"),
}


class ReferenceColumnsConfig(TaskConfig):
    """The columns of the files that a reference catalog is made from."""

    ra_name: str | None = setting(None, "Column with the right ascension; a usual name if null.")
    dec_name: str | None = setting(None, "Column with the declination; a usual name if null.")
    coordinate_unit: str | None = setting(
        None,
        "Unit of the coordinates: deg, rad, or hour, which is that of right ascensions (declinations are degrees "
        "then). If null, the unit that the file names. Else numbers are degrees, and texts such as 12:30:49.4 hours "
        "in right ascension.",
    )
    id_name: str | None = setting(None, "Column with integer ids; a usual name, else the rows are numbered, if null.")
    mag_columns: dict[str, str] = setting(
        {},
        "Column with magnitudes for each band. By default columns with usual names (V, Vmag, g_mag, phot_g_mean_mag).",
    )
    mag_err_columns: dict[str, str] = setting({}, "Column with errors of magnitudes, for each band.")
    flux_columns: dict[str, str] = setting({}, "Band to column with fluxes; if not set, columns such as g_flux.")
    flux_err_columns: dict[str, str] = setting({}, "Column with errors of fluxes, for each band.")
    magnitude_systems: dict[str, Literal["AB", "Vega"]] = setting(
        {},
        "Magnitude system of each band, AB or Vega. It is written into images and tables. Bands of Gaia and bands that "
        "come as fluxes need none.",
    )
    flux_unit: str | None = setting(None, "Unit of fluxes: nJy, uJy, mJy, Jy or nmgy; as the file says, else nJy.")
    estimate_bands: bool = setting(
        True,
        "Estimate the magnitudes B, V, R, I (Vega) and g, r, i (AB) from Gaia's G, BP and RP, if the files have these "
        "three and not the band itself. Their errors are 0.03 to 0.07 mag.",
    )
    pm_ra_name: str | None = setting(None, "Column with the proper motion in right ascension, times cos(dec).")
    pm_dec_name: str | None = setting(
        None, "Column with the proper motion in declination. It is used for positions at the time of an exposure."
    )
    pm_ra_err_name: str | None = setting(
        None, "Column with the standard error of the proper motion in right ascension."
    )
    pm_dec_err_name: str | None = setting(None, "Column with the standard error of the proper motion in declination.")
    pm_unit: str | None = setting(None, "Angle of proper motions per year; as the file says, else mas, if null.")
    parallax_name: str | None = setting(None, "Column with the parallax. A usual name is taken if null.")
    parallax_err_name: str | None = setting(None, "Column with the standard error of the parallax.")
    parallax_unit: str | None = setting(None, "Unit of the parallax; as the file says, else mas, if null.")
    epoch_name: str | None = setting(
        None, "Column with the epoch of the positions. Without it, the setting epoch applies to all."
    )
    epoch: float | None = setting(None, "Epoch of all positions, where no column has it. A number as year, MJD or JD.")
    extra_columns: list[str] = setting([], "Columns of numbers to be carried as they are.")


@frozen
class _Source:
    """A column to be read, and the factor to the unit in which it is written.

    Angles as texts have, in addition, the degrees of their first part; None where it may be hours or degrees.
    """

    name: str
    factor: float = 1.0
    is_angle: bool = False
    first: float | None = None


class ReferenceColumns:
    """Turns rows of a published catalog into rows of a reference catalog.

    Parameters
    ----------
    sources : mapping
        What it is (``ra``, ``dec``, ``id``, ``pm_ra``, ..., ``mag:g``, ``flux:g``) to where it comes from.
    epoch : float, optional
        Epoch of all positions.
    systems : mapping of str to str, optional
        Band to magnitude system, where it is known.
    estimate_bands : bool, optional
        Estimate other bands from Gaia's three.
    """

    def __init__(
        self,
        sources: Mapping[str, _Source],
        epoch: float | None = None,
        systems: Mapping[str, str] | None = None,
        *,
        estimate_bands: bool = True,
    ) -> None:
        self.sources, self.epoch = dict(sources), epoch
        #: Band to the column that its magnitudes or fluxes come from.
        self.bands = {
            what.partition(":")[2]: source.name
            for what, source in sources.items()
            if what.startswith(("mag:", "flux:"))
        }
        gaia = [band for band in _GAIA.values() if self.bands.get(band, "").startswith("phot_")]
        if all(f"mag:{band}" in sources for band in _GAIA.values()):
            gaia = list(_GAIA.values())
        estimate_bands = estimate_bands and len(gaia) == len(_GAIA)
        #: Bands that are estimated from those of Gaia.
        self.estimated = tuple(band for band in GAIA_RELATIONS if band not in self.bands and estimate_bands)
        #: Band to its magnitude system, where it is known: fluxes in physical units are those of AB magnitudes.
        self.systems = {what[5:]: "AB" for what in sources if what.startswith("flux:")}
        self.systems |= dict.fromkeys(gaia, "Vega")
        self.systems |= {band: GAIA_RELATIONS[band].system for band in self.estimated} | dict(systems or {})
        #: Columns to read from the files, and as what.
        self.wanted: dict[str, type] = {
            source.name: int if what == "id" else str if source.is_angle else float for what, source in sources.items()
        }

    def convert(self, rows: Mapping[str, Array], first_id: int) -> Catalog:
        """Return rows as a reference catalog has them.

        Parameters
        ----------
        rows : mapping
            The columns of `wanted`, each of shape (n,).
        first_id : int
            Id of the first row, where no column gives.

        Returns
        -------
        Catalog
            ``id``, ``coord_ra`` and ``coord_dec`` in radians, ``*_flux`` and ``*_fluxErr`` in nanojansky, ``pm_*`` in
            radians a year, ``parallax`` in radians, ``epoch`` in days (MJD), as far as the files have them.
        """

        def column(what: str) -> Array:
            source = self.sources[what]
            if source.is_angle:
                number = float(np.degrees(source.factor))
                return np.radians(parse_angles(rows[source.name], source.name, number=number, first=source.first))
            return rows[source.name] if what == "id" else rows[source.name] * source.factor

        n_row = len(next(iter(rows.values())))
        catalog = Catalog(metadata={"REFCAT_FORMAT_VERSION": 1, "AFW_TABLE_VERSION": 3, "AFW_TYPE": "SIMPLE"})
        if self.systems:
            catalog.metadata[SYSTEM_KEY] = " ".join(f"{band}={system}" for band, system in self.systems.items())
        ids = column("id") if "id" in self.sources else np.arange(first_id, first_id + n_row)
        catalog.add("id", ids.astype(np.int64), "", "unique id")
        catalog.add("coord_ra", column("ra") % (2 * np.pi), "rad", "right ascension, ICRS")
        catalog.add("coord_dec", column("dec"), "rad", "declination, ICRS")
        for what in self.sources:
            kind, _, band = what.partition(":")
            if kind == "mag":
                flux = _flux(column(what))
                catalog.add(f"{band}_flux", flux, "nJy", f"flux in band {band}")
                if f"mag_err:{band}" in self.sources:
                    error = flux * np.abs(column(f"mag_err:{band}")) * (0.4 * np.log(10))
                    catalog.add(f"{band}_fluxErr", error, "nJy", f"error of the flux in band {band}")
            elif kind == "flux":
                catalog.add(f"{band}_flux", column(what), "nJy", f"flux in band {band}")
            elif kind == "flux_err":
                catalog.add(f"{band}_fluxErr", column(what), "nJy", f"error of the flux in band {band}")
        if self.estimated:
            _add_estimates(catalog, self.estimated, {letter: column(f"mag:{band}") for letter, band in _GAIA.items()})
        for what, unit, text in _ASTROMETRY:
            if what in self.sources:
                catalog.add(what, column(what), unit, text)
        if "epoch" in self.sources or self.epoch is not None:
            given = column("epoch") if "epoch" in self.sources else np.full(n_row, self.epoch, np.float64)
            catalog.add("epoch", modified_julian(given), "d", "epoch of the position, MJD")
        for what, source in self.sources.items():
            if what.startswith("extra:"):
                catalog.add(source.name, column(what))
        return catalog


_GAIA = {"g": "G", "bp": "BP", "rp": "RP"}

_ASTROMETRY = (
    ("pm_ra", "rad/year", "proper motion in right ascension, times cos(dec)"),
    ("pm_dec", "rad/year", "proper motion in declination"),
    ("pm_raErr", "rad/year", "error of pm_ra"),
    ("pm_decErr", "rad/year", "error of pm_dec"),
    ("parallax", "rad", "parallax"),
    ("parallaxErr", "rad", "error of parallax"),
)


def find_columns(
    config: ReferenceColumnsConfig, units: Mapping[str, str], texts: Collection[str] = ()
) -> ReferenceColumns:
    """Find the columns in a file.

    Parameters
    ----------
    config : ReferenceColumnsConfig
        What the user says.
    units : mapping of str to str
        The file's columns and their units.
    texts : collection of str, optional
        Columns that hold texts.

    Raises
    ------
    ConfigError
        If a column that is named is not there, or there are no positions or fluxes, or a unit is not known.
    """
    sources: dict[str, _Source] = {}

    def add(what: str, name: str | None, known: Mapping[str, float], given: str | None, usual: str) -> None:
        if name is not None:
            sources[what] = _Source(name, _factor(name, units[name], known, given, usual))

    def one(field: str) -> str | None:
        return _find_one(field, getattr(config, field), units)

    for what in ("ra", "dec"):
        name = one(f"{what}_name")
        if name is None:
            raise ConfigError(
                f"no column with the coordinate {what} is found; name it with -c {what}_name=COLUMN, the file has "
                f"{_listed(units)}",
                field=f"{what}_name",
            )
        sources[what] = _position(what, name, units[name], config.coordinate_unit, is_text=name in texts)
    if (name := one("id_name")) is not None and (config.id_name or name not in texts):
        sources["id"] = _Source(name)  # names of stars, under a usual name, are none: the rows are numbered
    _add_fluxes(config, units, sources)
    for what, field in (("pm_ra", "pm_ra_name"), ("pm_dec", "pm_dec_name")):
        add(what, one(field), _ANGLES, config.pm_unit, "mas")
    for what, field in (("pm_raErr", "pm_ra_err_name"), ("pm_decErr", "pm_dec_err_name")):
        add(what, one(field), _ANGLES, config.pm_unit, "mas")
    add("parallax", one("parallax_name"), _ANGLES, config.parallax_unit, "mas")
    add("parallaxErr", one("parallax_err_name"), _ANGLES, config.parallax_unit, "mas")
    if config.epoch is None and (name := one("epoch_name")) is not None:
        sources["epoch"] = _Source(name)
    for name in config.extra_columns:
        _check("extra_columns", name, units)
        sources[f"extra:{name}"] = _Source(name)
    return ReferenceColumns(sources, config.epoch, config.magnitude_systems, estimate_bands=config.estimate_bands)


def _position(what: str, name: str, unit: str, given: str | None, *, is_text: bool) -> _Source:
    """Return how a column of right ascensions or declinations is read."""
    stated = given or _TEXT_UNITS.get(unit.strip(), unit.strip()) or unit_in_name(what, name)
    if what == "dec" and stated in _HOURS:
        stated = "deg"
    if stated == "dms":
        return _Source(name, _ANGLES["deg"], is_text, 1.0)
    known = _ANGLES if what == "dec" else _ANGLES | _HOURS
    factor = _factor(name, stated, known, None, "deg")
    first: float | None = 1.0
    if what == "ra":
        # a unit or a name that speaks of degrees contradicts the texts, which usually begin with hours
        is_degrees = stated in _ANGLES or "deg" in name.lower()
        first = (1.0 if given in _ANGLES else None) if is_degrees and given not in _HOURS else 15.0
    return _Source(name, factor, is_text, first)


def _add_fluxes(config: ReferenceColumnsConfig, units: Mapping[str, str], sources: dict[str, _Source]) -> None:
    magnitudes, fluxes = dict(config.mag_columns), dict(config.flux_columns)
    for field in ("mag_columns", "mag_err_columns", "flux_columns", "flux_err_columns"):
        for name in getattr(config, field).values():
            _check(field, name, units)
    if not magnitudes and not fluxes:
        fluxes = find_flux_columns(units)
        magnitudes = {band: name for band, name in find_magnitude_columns(units).items() if band not in fluxes}
    if not magnitudes and not fluxes:
        raise ConfigError(
            f"no column with magnitudes or fluxes is found; name some with -c mag_columns.BAND=COLUMN or "
            f"flux_columns.BAND=COLUMN, the file has {_listed(units)}",
            field="mag_columns",
        )
    for band, name in magnitudes.items():
        sources[f"mag:{band}"] = _Source(name)
        if (error := config.mag_err_columns.get(band) or error_column(name, units)) is not None:
            sources[f"mag_err:{band}"] = _Source(error)
    for band, name in fluxes.items():
        factor = _factor(name, units[name], _FLUXES, config.flux_unit, "nJy")
        sources[f"flux:{band}"] = _Source(name, factor)
        if (error := config.flux_err_columns.get(band) or error_column(name, units)) is not None:
            sources[f"flux_err:{band}"] = _Source(error, factor)


def _listed(names: Iterable[str]) -> str:
    """Return names for a message, which stays one line where a table has thousands of columns."""
    every = list(names)
    more = f" and {len(every) - _MOST_LISTED} more" if len(every) > _MOST_LISTED else ""
    return ", ".join(every[:_MOST_LISTED]) + more


def _find_one(field: str, given: str | None, names: Iterable[str]) -> str | None:
    if given:
        _check(field, given, names)
        return given
    if given == "":
        return None
    lower = {name.lower(): name for name in names}
    found = next((lower[usual] for usual in _USUAL[field] if usual in lower), None)
    return found or next(coordinate_columns(field.removesuffix("_name"), lower), None)


def _check(field: str, name: str, names: Iterable[str]) -> None:
    there = list(names)
    if name not in there:
        raise ConfigError(
            f"{field}: the file has no column '{name}'{suggest(name, there)}; it has {_listed(there)}", field=field
        )


def _factor(name: str, unit: str, known: Mapping[str, float], given: str | None, usual: str) -> float:
    """Return the factor from a column's unit, of which a ``/yr`` is not a concern."""
    wanted = given or re.sub(r"([ ./*]+(yr|year|a|Julian_year|annum)(\*\*-1|\^-1|-1)?)$", "", unit.strip()) or usual
    if wanted not in known:
        message = f"column '{name}' has the unit '{wanted}', which is not known{suggest(wanted, known)}"
        raise ConfigError(f"{message}; set it to one of {', '.join(known)}", field=name)
    return known[wanted]


def _add_estimates(catalog: Catalog, bands: Iterable[str], gaia: Mapping[str, Array]) -> None:
    """Add fluxes that follow from Gaia's magnitudes, with the scatter of the relation in their errors."""
    known = {letter: np.where(np.abs(values) < MAX_MAGNITUDE, values, np.nan) for letter, values in gaia.items()}
    flux, error = catalog["G_flux"], catalog["G_fluxErr"] if "G_fluxErr" in catalog.columns else np.nan
    g_error = np.broadcast_to(error / flux / (0.4 * np.log(10)), flux.shape)
    for band in bands:
        magnitude, magnitude_error = estimate_band(band, **known, g_error=g_error)
        estimate, text = _flux(magnitude), f"in band {band}, estimated from Gaia's G, BP and RP"
        catalog.add(f"{band}_flux", estimate, "nJy", f"flux {text}")
        catalog.add(
            f"{band}_fluxErr", estimate * magnitude_error * (0.4 * np.log(10)), "nJy", f"error of the flux {text}"
        )


def _flux(magnitude: Array) -> Array:
    """Return fluxes in nJy; a magnitude that represents a missing one gives NaN."""
    known = np.where(np.abs(magnitude) < MAX_MAGNITUDE, magnitude, np.nan)
    flux: Array = 10.0 ** (0.4 * (NANOJANSKY_ZERO_POINT - known))
    return flux


def modified_julian(epoch: Array) -> Array:
    """Return epochs as MJD, whether they are years, MJD or JD; these cannot be mistaken for one another.

    Parameters
    ----------
    epoch : ndarray of float64
        Epochs.
    """
    from_year = _MODIFIED_JULIAN_2000 + (epoch - 2000.0) * _JULIAN_YEAR
    found: Array = np.where(epoch < 3000.0, from_year, np.where(epoch > 2e6, epoch - _JULIAN_DATE, epoch))
    return found
