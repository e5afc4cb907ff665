"""Surveys that a reference catalog can be made from: service, table, columns, and what their columns mean."""

import re
from collections.abc import Callable, Mapping
from dataclasses import field

import numpy as np

from obs.errors import DataIdError, suggest
from obs.frozen import frozen
from obs.image.catalog import Catalog

__all__ = ["SURVEYS", "Survey", "find_survey"]

_ADDRESS = re.compile(r"https?://[^/\s]")
_TABLE = re.compile(r'[A-Za-z_][\w.]*|"[\w./+-]+"')


@frozen
class Survey:
    """A table of a TAP service.

    Parameters
    ----------
    name : str
        Name of the survey, and of the reference catalog.
    url : str
        Base URL of the service.
    table : str
        Name of the table, quoted as ADQL wants it.
    columns : mapping of str to str
        Column of the table to the column of the file that is made of it. Empty for all columns under their own names.
    ra, dec : str
        Columns with the position, degrees, ICRS.
    magnitude : str
        Column with the magnitude that the limit applies to; empty for none.
    epoch : float, optional
        Epoch of the positions, year; None where it is not known.
    systems : mapping of str to str, optional
        Band to magnitude system, "AB" or "Vega".
    add_columns : callable, optional
        Adds columns to a downloaded table.
    """

    name: str
    url: str
    table: str
    columns: Mapping[str, str] = field(default_factory=dict)
    ra: str = "ra"
    dec: str = "dec"
    magnitude: str = ""
    epoch: float | None = None
    systems: Mapping[str, str] = field(default_factory=dict)
    add_columns: Callable[[Catalog], None] | None = None

    def query(self, *, ra: float, dec: float, radius: float, faintest: float | None = None) -> str:
        """Return the query for a circle.

        Parameters
        ----------
        ra, dec, radius : float
            Circle, degrees.
        faintest : float, optional
            Faintest magnitude.
        """
        columns = ", ".join(self.columns) or "*"
        circle = f"CIRCLE('ICRS', {float(ra):.6f}, {float(dec):.6f}, {float(radius):.6f})"
        point = f"POINT('ICRS', {self.ra}, {self.dec})"
        # ADQL has no parameters to bind: numbers are formatted, and names are ours or checked.
        text = f"SELECT {columns} FROM {self.table} WHERE 1=CONTAINS({point}, {circle})"  # noqa: S608
        return f"{text} AND {self.magnitude} < {float(faintest):g}" if faintest is not None and self.magnitude else text


def _add_gaia_errors(table: Catalog) -> None:
    """Add standard errors of Gaia's magnitudes, from the signal-to-noise ratios of their fluxes."""
    for band in ("G", "BP", "RP"):
        ratio = f"{band}_signal_to_noise"
        with np.errstate(divide="ignore", invalid="ignore"):
            table.add(f"e_{band}_mag", 2.5 / np.log(10) / np.asarray(table[ratio], np.float64), "mag")
        del table.columns[ratio]


_GAIA_COLUMNS = {
    "source_id": "id",
    "ra": "ra",
    "dec": "dec",
    "pmra": "pmra",
    "pmdec": "pmdec",
    "pmra_error": "pmra_error",
    "pmdec_error": "pmdec_error",
    "parallax": "parallax",
    "parallax_error": "parallax_error",
    "phot_g_mean_mag": "G_mag",
    "phot_bp_mean_mag": "BP_mag",
    "phot_rp_mean_mag": "RP_mag",
    "phot_g_mean_flux_over_error": "G_signal_to_noise",
    "phot_bp_mean_flux_over_error": "BP_signal_to_noise",
    "phot_rp_mean_flux_over_error": "RP_signal_to_noise",
}


def _magnitudes(bands: str, value: str, error: str) -> dict[str, str]:
    """Return the columns of several bands whose names differ in the band only."""
    names = {}
    for band in bands:
        names[value.format(band)] = f"{band}_mag"
        names[error.format(band)] = f"e_{band}_mag"
    return names


SURVEYS = {
    survey.name: survey
    for survey in (
        Survey(
            "gaia",
            "https://gea.esac.esa.int/tap-server/tap",
            "gaiadr3.gaia_source",
            _GAIA_COLUMNS,
            magnitude="phot_g_mean_mag",
            epoch=2016.0,
            systems=dict.fromkeys(("G", "BP", "RP"), "Vega"),
            add_columns=_add_gaia_errors,
        ),
        Survey(
            "ps1",
            "https://tapvizier.cds.unistra.fr/TAPVizieR/tap",
            '"II/349/ps1"',
            {"objID": "id", "RAJ2000": "ra", "DEJ2000": "dec", **_magnitudes("grizy", "{}mag", "e_{}mag")},
            ra="RAJ2000",
            dec="DEJ2000",
            magnitude="rmag",
            systems=dict.fromkeys("grizy", "AB"),
        ),
        Survey(
            "skymapper",
            "https://api.skymapper.nci.org.au/public/tap",
            "dr4.master",
            {
                "object_id": "id",
                "raj2000": "ra",
                "dej2000": "dec",
                **_magnitudes("uvgriz", "{}_psf", "e_{}_psf"),
            },
            ra="raj2000",
            dec="dej2000",
            magnitude="r_psf",
            systems=dict.fromkeys("uvgriz", "AB"),
        ),
        Survey(
            "apass",
            "https://tapvizier.cds.unistra.fr/TAPVizieR/tap",
            '"II/336/apass9"',
            {
                "recno": "id",
                "RAJ2000": "ra",
                "DEJ2000": "dec",
                **_magnitudes("BV", "{}mag", "e_{}mag"),
                **_magnitudes("gri", '"{}\'mag"', '"e_{}\'mag"'),
            },
            ra="RAJ2000",
            dec="DEJ2000",
            magnitude="Vmag",
            systems={**dict.fromkeys("BV", "Vega"), **dict.fromkeys("gri", "AB")},
        ),
    )
}
"""Name of the survey to its definition. Gaia, PS1, SkyMapper DR4 and APASS DR9."""


def find_survey(name: str, *, table: str | None = None) -> Survey:
    """Return a survey by its name, or a mirror of one by the URL of its service.

    Parameters
    ----------
    name : str
        Name of a survey; or ``SURVEY@URL`` for a mirror of one; or a URL, together with ``table``.
    table : str, optional
        Table of a service that is named by its URL. All its columns are downloaded.

    Raises
    ------
    DataIdError
        If there is no such survey, the table has an impossible name, or a URL comes without a table.
    """
    if table is not None and not _TABLE.fullmatch(table):
        raise DataIdError(
            f"'{table}' is not the name of a table, such as schema.table or \"I/355/gaiadr3\"", key="table"
        )
    known, _, mirror = name.partition("@")
    if known in SURVEYS:
        if mirror and not _ADDRESS.match(mirror):
            raise DataIdError(f"'{mirror}' is not the address of a TAP service, such as https://HOST/tap", key="from")
        survey = SURVEYS[known]
        if not mirror and table is None:
            return survey
        return Survey(**{**vars(survey), "url": mirror or survey.url, "table": table or survey.table})
    if name.startswith(("http://", "https://")):
        if table is None:
            raise DataIdError(f"which table of {name}? Name it with --table", key="table")
        return Survey("catalog", name, table)
    raise DataIdError(
        f"no survey '{name}'{suggest(name, SURVEYS)}; there are {', '.join(SURVEYS)}, or give the URL of a TAP service",
        key="from",
    )
