"""Plots of catalogs."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.display.draw import plain_text
from obs.display.picture import Picture
from obs.errors import ConfigError
from obs.image.catalog import Catalog

__all__ = ["plot_columns"]

_SIZE = (6.4, 4.8)  # inches
_MANY = 5000
_RANGE = 0.01  # part of the values that may be outside of the axes, at either end


def plot_columns(
    catalog: Catalog,
    x: str,
    y: str,
    *,
    color: str | None = None,
    rows: ArrayLike | None = None,
    title: str = "",
    log: Iterable[str] = (),
    whole_range: bool = False,
) -> Picture:
    """Plot one column of a catalog against another.

    Parameters
    ----------
    catalog : Catalog
        The catalog.
    x, y : str
        Names of columns of numbers. Magnitudes grow downwards.
    color : str, optional
        Name of a column that gives the colors.
    rows : array_like of bool, shape (n,), optional
        Which rows; all by default. Values that are not finite are left out.
    title : str, optional
        Words above the plot; the number of rows if absent.
    log : iterable of str, optional
        Axes with a logarithmic scale: ``"x"``, ``"y"``, or both.
    whole_range : bool, optional
        Show the outermost percent of the values at either end, too.

    Returns
    -------
    Picture

    Raises
    ------
    KeyError
        If there is no such column.
    ConfigError
        If a column does not hold one number a row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - takes long to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    names = [x, y] if color is None else [x, y, color]
    columns = [_numbers(catalog, name) for name in names]
    good = np.isfinite(columns).all(axis=0)
    if rows is not None:
        good &= np.asarray(rows, bool)
    for letter, values in zip("xy", columns, strict=False):
        if letter in log:
            good &= values > 0
    shown = [values[good] for values in columns]
    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    style: dict[str, Any] = {"s": 9, "alpha": 0.4 if len(shown[0]) > _MANY else 0.8, "linewidths": 0}
    if color is not None:
        style |= {"c": shown[2], "cmap": "viridis"}
    dots = axes.scatter(shown[0], shown[1], rasterized=len(shown[0]) > _MANY, **style)
    if color is not None:
        figure.colorbar(dots, ax=axes).set_label(_label(catalog, color))
    axes.set_xlabel(_label(catalog, x))
    axes.set_ylabel(_label(catalog, y))
    for letter, values in (("x", shown[0]), ("y", shown[1])):
        _scale(axes, letter, values, is_log=letter in log, whole=whole_range)
    if catalog.columns[y].unit == "mag":
        axes.invert_yaxis()
    count = f"{len(shown[0])} of {len(catalog)} rows"
    axes.set_title(plain_text(title or count), fontsize="medium")
    axes.grid(alpha=0.3)
    return Picture(figure, title or f"{y} against {x}, {count}")


def _numbers(catalog: Catalog, name: str) -> NDArray[np.float64]:
    """Return a column as numbers; angles in radians stay as they are."""
    data = catalog.get(name)
    if data.ndim != 1 or data.dtype.kind not in "biuf":
        raise ConfigError(
            f"column '{name}' cannot be plotted: expected one number a row, got {data.dtype} {data.shape}"
        )
    return data.astype(np.float64)


def _label(catalog: Catalog, name: str) -> str:
    unit = catalog.columns[name].unit
    return plain_text(f"{name} ({unit})" if unit else name)


def _scale(axes: Any, letter: str, values: NDArray[np.float64], *, is_log: bool, whole: bool) -> None:  # noqa: ANN401
    """Set scale and range of an axis."""
    if is_log:
        getattr(axes, f"set_{letter}scale")("log")
    if values.size and not whole:
        low, high = np.percentile(values, [100 * _RANGE, 100 * (1 - _RANGE)])
        if low < high:
            bent = np.log10([low, high]) if is_log else np.array([low, high])
            low, high = bent + np.array([-0.08, 0.08]) * (bent[1] - bent[0])
            if is_log:
                low, high = 10.0**low, 10.0**high
            getattr(axes, f"set_{letter}lim")(low, high)
