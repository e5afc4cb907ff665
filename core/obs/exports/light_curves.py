"""Light curves as files: tables, a plot, and the formats in which observers send them in."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from obs.errors import OutputError
from obs.image.catalog import Catalog
from obs.repo.atomic import atomic_write
from obs.version import __version__

__all__ = ["format_aavso", "format_etd", "plot_light_curve", "write_light_curve_text"]

_JD = 2400000.5
#: Names of the AAVSO for bands of the Sloan survey and of Johnson and Cousins.
_AAVSO = {"u": "SU", "g": "SG", "r": "SR", "i": "SI", "z": "SZ", "B": "B", "V": "V", "R": "R", "I": "I", "U": "U",
          "clear": "CV", "Clear": "CV", "L": "CV"}  # fmt: skip
_FORBIDDEN = ","


def format_aavso(
    table: Catalog, name: str, observer: str, bands: Mapping[str, str], *, chart: str = "na"
) -> tuple[str, int]:
    """Return a light curve in the extended format of the AAVSO, and the number of rows that were left out.

    Dates are Julian dates (UTC) of the middle of the exposures. Images without detection are given as fainter than the
    upper limit.

    Parameters
    ----------
    table : Catalog
        As of `obs.visits.light_curve.LightCurve`.
    name : str
        Name of the star as the AAVSO writes it.
    observer : str
        Observer's code.
    bands : mapping
        Physical filter to band.
    chart : str, optional
        Number of the chart.
    """
    lines = [
        "#TYPE=EXTENDED",
        f"#OBSCODE={observer}",
        f"#SOFTWARE=obs {__version__}",
        "#DELIM=,",
        "#DATE=JD",
        "#OBSTYPE=CCD",
        "#NAME,DATE,MAG,MERR,FILT,TRANS,MTYPE,CNAME,CMAG,KNAME,KMAG,AMASS,GROUP,CHART,NOTES",
    ]
    left_out = 0
    plain = name.replace(_FORBIDDEN, " ")
    for row in range(len(table)):
        magnitude, error, limit = (float(table[key][row]) for key in ("magnitude", "magnitude_error", "upper_limit"))
        date = float(table["mjd_mid"][row]) + _JD
        if not np.isfinite(date) or not np.isfinite(limit):
            left_out += 1
            continue
        seen = np.isfinite(magnitude) and magnitude < limit + 2.5 and error < 0.33
        value = f"{magnitude:.3f}" if seen else f"<{limit:.1f}"
        physical = str(table["filter"][row])
        band = bands.get(physical, physical)
        airmass = float(table["airmass"][row])
        notes = f"flags {table['flags'][row]}" if str(table["flags"][row]) else "na"
        words = [plain, f"{date:.5f}", value, f"{error:.3f}" if seen else "na", _AAVSO.get(band, "O"), "NO", "STD"]
        words += ["ENSEMBLE", "na", "na", "na", f"{airmass:.3f}" if np.isfinite(airmass) else "na", "na", chart, notes]
        lines.append(",".join(words))
    return "\n".join([*lines, ""]), left_out


def format_etd(table: Catalog) -> tuple[str, int]:
    """Return a light curve for the Exoplanet Transit Database, and the number of rows that were left out.

    Each line has the Julian date (UTC) of the middle of the exposure, the magnitude and its error.
    """
    lines, left_out = [], 0
    for row in range(len(table)):
        values = [float(table[key][row]) for key in ("mjd_mid", "magnitude", "magnitude_error")]
        if not np.isfinite(values).all():
            left_out += 1
            continue
        lines.append(f"{values[0] + _JD:.6f} {values[1]:.5f} {values[2]:.5f}")
    return "\n".join([*lines, ""]), left_out


def write_light_curve_text(text: str, path: Path, *, clobber: bool) -> None:
    """Write a light curve as a text file.

    Raises
    ------
    OutputError
        If it exists already, or cannot be written.
    """
    if path.exists() and not clobber:
        raise OutputError(f"{path} exists already; --clobber replaces it", path=path)
    with atomic_write(path) as file:
        file.write(text.encode())


def plot_light_curve(table: Catalog, title: str, path: Path, *, clobber: bool) -> None:
    """Draw magnitudes against time, a color for each filter; arrows are upper limits.

    Raises
    ------
    OutputError
        If the file exists already, or cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and only plots need it

    if path.exists() and not clobber:
        raise OutputError(f"{path} exists already; --clobber replaces it", path=path)
    time, magnitude, error = (np.asarray(table[key], float) for key in ("bjd_tdb", "magnitude", "magnitude_error"))
    label = "BJD (TDB)"
    if not np.isfinite(time).any():
        time, label = np.asarray(table["mjd_mid"], float), "MJD (UTC)"
    zero = float(np.floor(np.nanmin(time))) if np.isfinite(time).any() else 0.0
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    filters = np.asarray(table["filter"]).astype(str)
    for number, physical in enumerate(dict.fromkeys(filters.tolist())):
        color, here = f"C{number}", filters == physical
        seen = here & np.isfinite(magnitude)
        axes.errorbar(time[seen] - zero, magnitude[seen], error[seen], fmt="o", ms=4, color=color, label=physical)
        unseen = here & ~np.isfinite(magnitude)
        limit = np.asarray(table["upper_limit"], float)
        axes.plot(time[unseen] - zero, limit[unseen], "v", color=color, mfc="none")
    axes.invert_yaxis()
    axes.set_xlabel(f"{label} - {zero:.0f} [d]")
    axes.set_ylabel(table.columns["magnitude"].description.partition(",")[0] or "magnitude")
    axes.set_title(title)
    axes.legend()
    with atomic_write(path) as file:
        figure.savefig(file, format=path.suffix.lstrip(".") or "png", dpi=120)
