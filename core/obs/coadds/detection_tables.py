"""Detections on coadds as tables: the peaks of one filter, and those of all filters together."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sources.detection import Footprints
from obs.algorithms.sources.merge import Merged
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs

__all__ = ["detection_table", "footprint_flags", "merged_table"]


def detection_table(footprints: Footprints, wcs: TanSipWcs, first_id: int) -> Catalog:
    """Return a table with a row for each peak.

    Parameters
    ----------
    footprints : Footprints
        Detections on one coadd.
    wcs : TanSipWcs
        Its WCS.
    first_id : int
        Number of the first row; the others follow.

    Returns
    -------
    Catalog
        ``deepCoadd_det``.
    """
    peaks = footprints.peaks
    table = Catalog()
    table.add("id", first_id + np.arange(len(peaks)), "", "number of the peak")
    ra, dec = wcs.pixel_to_sky(x=peaks.x.astype(float), y=peaks.y.astype(float))
    table.add("coord_ra", ra, "deg", "right ascension of the peak")
    table.add("coord_dec", dec, "deg", "declination of the peak")
    table.add("peak_x", peaks.x, "pix", "pixel of the peak, x")
    table.add("peak_y", peaks.y, "pix", "pixel of the peak, y")
    ratio = peaks.value / np.float32(footprints.threshold)
    table.add("peak_value", ratio, "", "smoothed image at the peak over the threshold of detection")
    table.add("footprint", peaks.footprint, "", "number of the footprint of the peak; peaks of a blend share one")
    area = np.bincount(footprints.labels.ravel(), minlength=footprints.n + 1)
    table.add("footprint_area", area[peaks.footprint], "pix2", "number of pixels of the footprint")
    return table


def merged_table(
    merged: Merged, flags: Mapping[str, NDArray[np.bool_]], names: list[str], wcs: TanSipWcs, first_id: int
) -> Catalog:
    """Return a table of the peaks of all filters, and in which filters each was detected.

    Parameters
    ----------
    merged : Merged
        Joined detections.
    flags : mapping of str to ndarray of bool, shape (n_footprint,)
        From `footprint_flags`.
    names : list of str
        Names of the columns of ``merged.detected``: the filters, and ``sky``.
    wcs : TanSipWcs
        WCS of the coadds.
    first_id : int
        Number of the first row; the others follow.

    Returns
    -------
    Catalog
        ``deepCoadd_mergeDet``.
    """
    table = detection_table(merged.footprints, wcs, first_id)
    row = merged.footprints.peaks.footprint - 1
    for name, flag in flags.items():
        table.add(f"merge_footprint_{name}", flag[row], "", f"the footprint has pixels detected in {name}")
    for number, name in enumerate(names):
        text = "blank sky, where nothing was detected" if name == "sky" else f"detected in the filter {name}"
        table.add(f"merge_peak_{name}", merged.detected[:, number], "", text)
    return table


def footprint_flags(merged: Merged, images: Mapping[str, Footprints]) -> dict[str, NDArray[np.bool_]]:
    """Return for each filter which of the joined footprints have pixels detected in it, shape (n_footprint,).

    Parameters
    ----------
    merged : Merged
        Footprints joined over all filters.
    images : mapping of str to Footprints
        Filter to the footprints that were detected in it, on the same pixels.
    """
    flags = {}
    for name, found in images.items():
        flag = np.zeros(merged.footprints.n + 1, bool)
        flag[merged.footprints.labels[found.labels > 0]] = True
        flags[name] = flag[1:]
    return flags
