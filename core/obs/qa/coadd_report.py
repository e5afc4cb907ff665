"""Coadds and light curves of simulated exposures beside the truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import match_sky
from obs.algorithms.numeric.nearest import PointTree
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.policy.data_id import format_data_id
from obs.qa.metrics import compare_with_truth
from obs.qa.report import FrameReport
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.repo.fits_catalog import read_catalog
from obs.sky_vectors import sky_vectors

__all__ = ["SimulatedExposure", "VariableStar", "find_variable", "report_coadds", "true_sky"]

Floats = NDArray[np.float64]

_MATCH = 1.0  # arcsec
_LONE = 6.0  # arcsec; variable stars have no neighbor within
_SIGNAL_TO_NOISE = 50.0, 1000.0
_BETA = 3.0  # of Moffat profiles; only the distance to neighbors is taken from it
_SPOILED = ("base_PixelFlags_flag_saturatedCenter", "base_PixelFlags_flag_interpolatedCenter", "base_PsfFlux_flag")


@frozen
class SimulatedExposure:
    """A science exposure of one detector.

    Parameters
    ----------
    data_id : dict
        Its data ID.
    truth : Path
        Catalog of the true sources.
    """

    data_id: Mapping[str, Any]
    truth: Path


@frozen
class VariableStar:
    """A simulated star that varies.

    Parameters
    ----------
    ra, dec : float
        Position, degrees.
    period : float
        Period, days.
    mean : float
        Mean magnitude.
    true : list of (dict, float)
        Data ID of each exposure, and the true magnitude in its middle.
    """

    ra: float
    dec: float
    period: float
    mean: float
    true: list[tuple[Mapping[str, Any], float]]

    def true_magnitudes(self, curve: Catalog) -> Floats:
        """Return the true magnitude of each row of a light curve; NaN for exposures without truth.

        Parameters
        ----------
        curve : Catalog
            Light curve with the column ``data_id``.
        """
        known = [(set(format_data_id(dict(data_id)).split()), magnitude) for data_id, magnitude in self.true]
        rows = [set(str(name).split()) for name in curve["data_id"]]
        return np.array([next((value for words, value in known if words <= row), np.nan) for row in rows])


def true_sky(exposures: Sequence[SimulatedExposure]) -> Catalog:
    """Return all sources that any of the exposures has, each once, with their mean magnitudes.

    Parameters
    ----------
    exposures : sequence of SimulatedExposure
        At least one.

    Returns
    -------
    Catalog
        ``id``, ``coord_ra``, ``coord_dec``, ``is_star`` (False for what varies), ``magnitude``, ``varies``.
    """
    sky = Catalog()
    parts = [read_catalog(one.truth) for one in exposures]
    ids = np.concatenate([part["id"] for part in parts])
    _, first = np.unique(ids, return_index=True)

    def column(name: str, default: float) -> NDArray[Any]:
        values = [part[name] if name in part else np.full(len(part), default) for part in parts]
        return np.concatenate(values)[first]

    varies = column("is_variable", 0).astype(bool)
    changes = varies | column("is_transient", 0).astype(bool) | column("is_moving", 0).astype(bool)
    sky.add("id", ids[first])
    for name in ("coord_ra", "coord_dec"):
        sky.add(name, column(name, np.nan), "deg")
    sky.add("is_star", column("is_star", 0).astype(bool) & ~changes)
    sky.add("magnitude", column("magnitude", np.nan) - column("delta_magnitude", 0.0), "mag")
    sky.add("varies", varies)
    sky.add("period", column("period", np.nan), "d")
    return sky


def report_coadds(butler: Butler, exposures: Sequence[SimulatedExposure]) -> list[FrameReport]:
    """Compare the coadds of a repository with the truth.

    Parameters
    ----------
    butler : Butler
        Repository with ``deepCoadd_meas``.
    exposures : sequence of SimulatedExposure
        What they are made of.

    Returns
    -------
    list of FrameReport
        One for each coadd. The true seeing is NaN, because a coadd has that of several exposures.
    """
    sky, reports = true_sky(exposures), []
    kind = butler.mapper.dataset_type("deepCoadd_meas")
    for _, data_id, _ in sorted(iterate_datasets(butler.roots, [kind]), key=lambda found: tuple(found[1].values())):
        wcs, calib = butler.get("deepCoadd_calexp_wcs", data_id), butler.get("deepCoadd_calexp_photoCalib", data_id)
        fwhm = float(butler.get("deepCoadd_calexp_md", data_id)["SEEING"])
        x, y = wcs.sky_to_pixel(ra=sky["coord_ra"], dec=sky["coord_dec"])
        count = butler.get("deepCoadd_nImage", data_id)
        on = np.flatnonzero((x > 0) & (x < count.shape[1] - 1) & (y > 0) & (y < count.shape[0] - 1))
        on = on[count[np.rint(y[on]).astype(int), np.rint(x[on]).astype(int)] > 0]
        truth = sky.select(on)
        flux = 10.0 ** (-0.4 * (truth["magnitude"] - calib.zero_point))
        facts = {"x": x[on], "y": y[on], "electrons": flux, "counts": flux}
        shape = {"psf_fwhm": np.full(len(on), fwhm / wcs.pixel_scale), "psf_g1": np.zeros(len(on))}
        for name, values in {**facts, **shape, "psf_g2": np.zeros(len(on))}.items():
            truth.add(name, values)
        truth.metadata["BETA"] = _BETA
        objects = butler.get("deepCoadd_meas", data_id)
        comparison = compare_with_truth(objects, truth, calib)
        reports.append(FrameReport(dict(data_id), fwhm, float("nan"), calib.zero_point, comparison))
    return reports


def find_variable(butler: Butler, exposures: Sequence[SimulatedExposure]) -> VariableStar | None:
    """Return the isolated variable star on the coadds with the most exposures, and of these the one that changes most.

    Parameters
    ----------
    butler : Butler
        Repository with ``deepCoadd_meas``.
    exposures : sequence of SimulatedExposure
        What the coadds are made of.

    Returns
    -------
    VariableStar or None
        None if no variable star is on two exposures, isolated, not saturated and bright enough.
    """
    sky = true_sky(exposures)
    vectors = sky_vectors(sky["coord_ra"], sky["coord_dec"])
    close = PointTree(vectors).pairs_within(np.radians(_LONE / 3600.0))
    alone = np.ones(len(sky), bool)
    alone[close.ravel()] = False
    stars = sky.select(np.flatnonzero(sky["varies"] & alone))
    ra, dec = _good_objects(butler)
    rows = match_sky(stars["coord_ra"], stars["coord_dec"], ra, dec, radius=_MATCH).first
    magnitudes = [(one.data_id, _magnitudes(one)) for one in exposures]
    best, largest = None, (1, 0.0)
    for row in rows:
        number = int(stars["id"][row])
        true = [(data_id, known[number]) for data_id, known in magnitudes if number in known]
        values = [magnitude for _, magnitude in true]
        change = (len(true), max(values) - min(values) if values else 0.0)
        if change > largest:
            place = float(stars["coord_ra"][row]), float(stars["coord_dec"][row])
            best = VariableStar(*place, float(stars["period"][row]), float(stars["magnitude"][row]), true)
            largest = change
    return best


def _magnitudes(exposure: SimulatedExposure) -> dict[int, float]:
    """Return the magnitudes of the sources on an exposure by their numbers."""
    truth = read_catalog(exposure.truth)
    on = np.isfinite(truth["counts"])
    return dict(zip(truth["id"][on].tolist(), truth["magnitude"][on].tolist(), strict=True))


def _good_objects(butler: Butler) -> tuple[Floats, Floats]:
    """Return right ascension and declination of bright, unsaturated objects on the coadds of all patches."""
    kind = butler.mapper.dataset_type("deepCoadd_meas")
    found = []
    for _, data_id, _ in iterate_datasets(butler.roots, [kind]):
        objects = butler.get("deepCoadd_meas", data_id)
        with np.errstate(divide="ignore", invalid="ignore"):
            strength = objects["base_PsfFlux_instFlux"] / objects["base_PsfFlux_instFluxErr"]
        good = objects["detect_isPrimary"] & (strength > _SIGNAL_TO_NOISE[0]) & (strength < _SIGNAL_TO_NOISE[1])
        for name in _SPOILED:
            good &= ~objects[name]
        found.append(np.stack([objects["coord_ra"][good], objects["coord_dec"][good]]))
    ra, dec = np.concatenate(found, axis=1) if found else np.empty((2, 0))
    return ra, dec
