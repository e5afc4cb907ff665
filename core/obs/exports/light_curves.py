"""Light curves as files: tables, a plot, and the formats in which observers send them in."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import OutputError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.instrument.filter_wheels import passes_all_colors
from obs.repo.atomic import atomic_write
from obs.version import __version__
from obs.visits.light_curve_point import UNUSABLE

__all__ = [
    "AavsoWords",
    "aavso_filter",
    "check_aavso_words",
    "format_aavso",
    "format_etd",
    "group_filters",
    "name_of_place",
    "plot_light_curve",
    "write_light_curve_text",
]

_JD = 2400000.5
#: Filter codes of the AAVSO for bands: Sloan, Johnson and Cousins, Pan-STARRS y, H alpha.
_AAVSO = {"u": "SU", "g": "SG", "r": "SR", "i": "SI", "z": "SZ", "y": "Y", "U": "U", "B": "B", "V": "V", "R": "R",
          "I": "I", "J": "J", "H": "H", "K": "K", "ha": "HA"}  # fmt: skip
#: Codes for the colors of a mosaic, and for no filter with the zero point of a band.
_AAVSO_COLORS = {"R": "TR", "G": "TG", "B": "TB"}
_AAVSO_CLEAR = {"V": "CV", "R": "CR", "r": "CR"}
#: Code of a filter without a code of its own; NOTES must say which filter it is.
_OTHER = "O"
_DELIMITER = ","
_NAME_LENGTH, _OBSERVER_LENGTH, _CHART_LENGTH = 30, 5, 20
#: What the format has where nothing is known.
_NOTHING = "na"
#: Time within which images in several filters belong together, days.
_SET_DAYS = 1.0 / 24.0
#: A magnitude with a larger error is given, and drawn, as an upper limit.
_FAINTEST = 0.33


def aavso_filter(physical: str, band: str, *, is_color: bool) -> str:
    """Return the code that the AAVSO has for a filter; "O" (other) where it has none.

    Parameters
    ----------
    physical : str
        Physical filter.
    band : str
        Band of the reference catalog from which its zero point is.
    is_color : bool
        Whether the camera has a mosaic of colors, so that "R", "G" and "B" are its colors.
    """
    if is_color and physical in _AAVSO_COLORS:
        return _AAVSO_COLORS[physical]
    if passes_all_colors(physical):
        return _AAVSO_CLEAR.get(band, _OTHER)
    return _AAVSO.get(band, _OTHER)


def check_aavso_words(name: str, observer: str) -> None:
    """Raise an error if the name of a star or the code of an observer cannot be in a file for the AAVSO.

    Parameters
    ----------
    name : str
        Name of the star.
    observer : str
        Code that the AAVSO has given to the observer.

    Raises
    ------
    OutputError
        If one is empty or too long, or has letters that the format cannot hold.
    """
    for what, word, most, option in (
        ("the name of the star", name, _NAME_LENGTH, "--star"),
        ("the observer's code", observer, _OBSERVER_LENGTH, "--observer"),
    ):
        if not word.strip() or len(word) > most or not (word.isascii() and word.isprintable()):
            raise OutputError(f"the AAVSO takes 1 to {most} ASCII letters for {what}, not {word!r}; change {option}")
        if _DELIMITER in word or word.lstrip().startswith("#"):
            raise OutputError(f"{what}, {word!r}, has a comma or begins with #; change {option}")


@frozen
class AavsoWords:
    """What a file for the AAVSO says of the observations, beside what the light curve has.

    Parameters
    ----------
    name, observer : str
        Name of the star as the AAVSO writes it, and the observer's code.
    filters : mapping
        Physical filter to band and the filter code of the AAVSO (`aavso_filter`).
    check : mapping, optional
        Physical filter to the name of the check star.
    chart : str, optional
        The sequence of the comparison stars, such as the number of a chart or the name of a reference catalog.
    kind : str, optional
        Kind of the observations: CCD, DSLR or PEP.
    """

    name: str
    observer: str
    filters: Mapping[str, tuple[str, str]]
    check: Mapping[str, str] = field(default_factory=dict)
    chart: str = ""
    kind: str = "CCD"


def name_of_place(ra: float, dec: float) -> str:
    """Return the name that a star has by its position, such as ``J100029.50+021218.0``: 19 letters.

    Parameters
    ----------
    ra, dec : float
        Position, degrees.
    """
    hundredths, tenths = round(ra / 15.0 * 360000.0) % 8640000, round(abs(dec) * 36000.0)
    hours, minutes = divmod(hundredths, 360000), divmod(hundredths % 360000, 6000)
    degrees, arcmin = divmod(tenths, 36000), divmod(tenths % 36000, 600)
    sign = "-" if dec < 0 and tenths else "+"
    return (
        f"J{hours[0]:02d}{minutes[0]:02d}{minutes[1] / 100:05.2f}"
        f"{sign}{degrees[0]:02d}{arcmin[0]:02d}{arcmin[1] / 10:04.1f}"
    )


def format_aavso(table: Catalog, words: AavsoWords) -> tuple[str, int]:
    """Return a light curve in the extended format of the AAVSO, and the number of rows that were left out.

    Dates are Julian dates (UTC) of the middle of the exposures. Images without detection are given as fainter than the
    upper limit. Rows with flags S, B or P are left out. Images in several filters that follow one another are a group.

    Parameters
    ----------
    table : Catalog
        As of `obs.visits.light_curve.LightCurve`.
    words : AavsoWords
        What else the file says.

    Raises
    ------
    OutputError
        If the name or the code does not fit the format, or no row can be sent in.
    """
    check_aavso_words(words.name, words.observer)
    lines = [
        "#TYPE=EXTENDED",
        f"#OBSCODE={words.observer.strip()}",
        f"#SOFTWARE=obs {__version__}",
        f"#DELIM={_DELIMITER}",
        "#DATE=JD",
        f"#OBSTYPE={words.kind}",
        "#NAME,DATE,MAG,MERR,FILT,TRANS,MTYPE,CNAME,CMAG,KNAME,KMAG,AMASS,GROUP,CHART,NOTES",
    ]
    numbers = [row for row in range(len(table)) if _is_sent(table, row)]
    _require_rows(numbers)
    filters = np.asarray(table["filter"]).astype(str)[numbers]
    groups = group_filters(np.asarray(table["mjd_mid"], np.float64)[numbers], filters.tolist())
    rows = [_aavso_row(table, row, group, words) for row, group in zip(numbers, groups, strict=True)]
    lines += [_DELIMITER.join((words.name.strip(), *row)) for row in rows]
    return "\n".join([*lines, ""]), len(table) - len(rows)


def group_filters(mjd: NDArray[np.float64], filters: Sequence[str]) -> list[int]:
    """Return the number of the set of filters that each observation belongs to, from 1; 0 for those of none.

    Observations that follow one another within an hour, each in another filter, are a set, from which colors follow.

    Parameters
    ----------
    mjd : ndarray of float64, shape (n,)
        Dates, modified Julian days.
    filters : sequence of str
        Filters.
    """
    sets: list[list[int]] = []
    for row in np.argsort(mjd, kind="stable").tolist():
        last = sets[-1] if sets else []
        if last and filters[row] not in {filters[one] for one in last} and mjd[row] - mjd[last[0]] < _SET_DAYS:
            last.append(row)
        else:
            sets.append([row])
    result = [0] * len(filters)
    for number, members in enumerate((one for one in sets if len(one) > 1), 1):
        for row in members:
            result[row] = number
    return result


def _is_sent(table: Catalog, row: int) -> bool:
    """Whether an observation can be sent in: with a date, a magnitude or an upper limit, and without flaws."""
    values = (float(table[key][row]) for key in ("mjd_mid", "magnitude", "magnitude_error", "upper_limit"))
    date, magnitude, error, limit = values
    seen = np.isfinite(magnitude) and error < _FAINTEST
    return bool(np.isfinite(date) and (seen or np.isfinite(limit)) and not UNUSABLE & set(str(table["flags"][row])))


def _aavso_row(table: Catalog, row: int, group: int, words: AavsoWords) -> tuple[str, ...]:
    """Return the fields of one observation after the name."""
    magnitude, error, limit, airmass, check = (
        float(table[key][row]) for key in ("magnitude", "magnitude_error", "upper_limit", "airmass", "check_magnitude")
    )
    date, flags = float(table["mjd_mid"][row]) + _JD, str(table["flags"][row])
    physical = str(table["filter"][row])
    band, code = words.filters[physical]
    count = int(table["n_comparison"][row])
    notes = [f"{count} comparison stars" if count else "zero point of the image"]
    if code == _OTHER:
        notes.append(_plain(f"filter {physical} with zero point of band {band}"))
    if flags:
        notes.append(f"flags {flags}")
    seen = np.isfinite(magnitude) and error < _FAINTEST
    value = (f"{magnitude:.4f}", f"{max(error, 1e-4):.4f}") if seen else (f"<{limit:.3f}", "na")
    air = f"{airmass:.3f}" if np.isfinite(airmass) else _NOTHING
    star = (
        (words.check[physical], f"{check:.4f}") if physical in words.check and np.isfinite(check) else (_NOTHING,) * 2
    )
    chart = _plain(words.chart)[:_CHART_LENGTH].strip() or _NOTHING
    comparison = ("ENSEMBLE", _NOTHING, *star)
    set_of_filters = str(group) if group else _NOTHING
    return (f"{date:.6f}", *value, code, "NO", "STD", *comparison, air, set_of_filters, chart, "; ".join(notes))


def _plain(text: str) -> str:
    """Return a text as one field of one line: ASCII without the delimiter."""
    return " ".join(text.replace(_DELIMITER, " ").split()).encode("ascii", "replace").decode()


def _require_rows(rows: list[Any]) -> None:
    if not rows:
        raise OutputError("no row can be sent in: all are without time or magnitude, or have flags S, B or P")


def format_etd(table: Catalog) -> tuple[str, int]:
    """Return a light curve for the Exoplanet Transit Database, and the number of rows that were left out.

    Each line has the Julian date (UTC) of the middle of the exposure, the magnitude and its error. Rows with flags S, B
    or P are left out.

    Parameters
    ----------
    table : Catalog
        Light curve of one star.

    Raises
    ------
    OutputError
        If there are several filters, because a transit there has one, or no row can be sent in.
    """
    names = sorted(set(map(str, table["filter"])))
    if len(names) > 1:
        raise OutputError(f"a file for the ETD has one filter, not {', '.join(names)}; choose with --id filter=NAME")
    lines = []
    for row in range(len(table)):
        values = [float(table[key][row]) for key in ("mjd_mid", "magnitude", "magnitude_error")]
        if np.isfinite(values).all() and not UNUSABLE & set(str(table["flags"][row])):
            lines.append(f"{values[0] + _JD:.6f} {values[1]:.5f} {max(values[2], 1e-5):.5f}")
    _require_rows(lines)
    return "\n".join([*lines, ""]), len(table) - len(lines)


#: Filters that the legend of a plot has beside each other.
_LEGEND_COLUMNS = 4
#: Colors of matplotlib's cycle for filters whose names are colors.
_NAMED = {"blue": "C0", "b": "C0", "green": "C2", "g": "C2", "v": "C2", "red": "C3", "r": "C3"}


def write_light_curve_text(text: str, path: Path, *, clobber: bool) -> None:
    """Write a light curve as a text file.

    Parameters
    ----------
    text : str
        Content of the file.
    path : Path
        File; it is written whole or not at all.
    clobber : bool
        Whether an existing file is replaced.

    Raises
    ------
    OutputError
        If it exists already, or cannot be written.
    """
    if path.exists() and not clobber:
        raise OutputError(f"{path} exists already; --clobber replaces it", path=path)
    with atomic_write(path) as file:
        file.write(text.encode())


def _colors(filters: Sequence[str]) -> dict[str, str]:
    """Return a color for each filter: that of its name where it is one, and none twice."""
    named: dict[str, str] = {}
    for name in filters:
        color = _NAMED.get(name.lower())
        if color is not None and color not in named.values():
            named[name] = color
    others = (color for color in (f"C{number}" for number in count()) if color not in named.values())
    return {name: named[name] if name in named else next(others) for name in filters}


def plot_light_curve(table: Catalog, title: str, path: Path, *, clobber: bool) -> None:
    """Draw magnitudes against time, a color for each filter.

    Triangles are upper limits. Crosses are magnitudes that a file for the AAVSO leaves out, by their flags.

    Parameters
    ----------
    table : Catalog
        Light curve of one star.
    title : str
        Title of the plot.
    path : Path
        Picture, whose ending decides the format.
    clobber : bool
        Whether an existing file is replaced.

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
    unusable = np.array([bool(UNUSABLE & set(flags)) for flags in np.asarray(table["flags"]).astype(str).tolist()])
    for physical, color in _colors(list(dict.fromkeys(filters.tolist()))).items():
        here = filters == physical
        seen = here & np.isfinite(magnitude) & (error < _FAINTEST)
        good, flawed = seen & ~unusable, seen & unusable
        axes.errorbar(time[good] - zero, magnitude[good], error[good], fmt="o", ms=4, color=color, label=physical)
        if flawed.any():
            label_flawed = f"{physical}, not to be used (flags)"
            axes.plot(time[flawed] - zero, magnitude[flawed], "x", ms=6, color=color, alpha=0.6, label=label_flawed)
        unseen = here & ~seen
        limit = np.asarray(table["upper_limit"], float)
        words = f"{physical}, upper limits" if np.isfinite(limit[unseen]).any() else None
        axes.plot(time[unseen] - zero, limit[unseen], "v", color=color, mfc="none", label=words)
    axes.invert_yaxis()
    axes.set_xlabel(f"{label} - {zero:.0f} (d)")
    axes.set_ylabel(table.columns["magnitude"].description.partition(", differential")[0] or "magnitude")
    axes.set_title(f"light curve of {title}")
    figure.legend(loc="outside lower center", ncols=_LEGEND_COLUMNS)  # within the axes it would hide points
    with atomic_write(path) as file:
        figure.savefig(file, format=path.suffix.lstrip(".") or "png", dpi=120)
