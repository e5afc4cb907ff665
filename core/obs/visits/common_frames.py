"""Images that are calibrated together: their stars, their detectors, and which of them belong together."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from obs.algorithms.astrometry.detector_places import measure_detector_places
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.instrument.barycenter import mid_exposure_mjd
from obs.policy.data_id import DataId, format_data_id
from obs.policy.dataset_type import Template
from obs.repo.butler import Butler
from obs.repo.fits_exposure_header import header_box, header_filter, header_photo_calib, header_visit_info, header_wcs
from obs.tasks.relative.config import CalibrateVisitsConfig
from obs.tasks.relative.frames import FrameStars, StarField, make_star_field, select_stars
from obs.visits.sources_on_image import keep_sources_on_image

__all__ = ["keep_connected", "leave_out_other_scales", "place_detectors", "read_frame"]

#: Logarithm of a ratio of pixel scales; those that differ by more are of another binning or another camera.
_SAME_SCALE = 0.1


def read_frame(butler: Butler, data_id: DataId, config: CalibrateVisitsConfig) -> tuple[str, FrameStars]:
    """Return the filter and the stars of an image.

    Parameters
    ----------
    butler : Butler
        Repository.
    data_id : dict
        Image.
    config : CalibrateVisitsConfig
        Settings.

    Raises
    ------
    MeasurementError
        If it has no WCS or too few stars.
    """
    header = butler.get("calexp_md", data_id)
    wcs = header_wcs(header)
    if wcs is None:
        raise MeasurementError("its calexp has no WCS; process it with a reference catalog that covers it")
    catalog: Catalog = butler.get("src", data_id)
    catalog = keep_sources_on_image(catalog, header_box(header).shape, format_data_id(data_id))
    flux = config.photometry.flux
    if f"{flux}_instFlux" not in catalog:
        raise MeasurementError(f"its src has no flux '{flux}'; set photometry.flux")
    stars = catalog.select(select_stars(catalog, flux, config.stars))
    if len(stars) < config.stars.minimum_common:
        raise MeasurementError(
            f"{len(stars)} stars above a signal-to-noise ratio of {config.stars.minimum_signal_to_noise:g}, and "
            f"{config.stars.minimum_common} are needed; lower stars.minimum_signal_to_noise"
        )
    errors = (stars["base_SdssCentroid_xErr"], stars["base_SdssCentroid_yErr"])
    own = set(Template(butler.instrument.detector).keys)
    frame = FrameStars(
        name=format_data_id(data_id),
        visit=format_data_id({key: value for key, value in data_id.items() if key not in own}) or "all",
        detector=butler.instrument.find_detector(butler.complete_raw(data_id)),
        shape=header_box(header).shape,
        wcs=wcs,
        photo_calib=header_photo_calib(header),
        mjd=mid_exposure_mjd(header_visit_info(header)),
        x=np.asarray(stars["base_SdssCentroid_x"], np.float64),
        y=np.asarray(stars["base_SdssCentroid_y"], np.float64),
        error=np.sqrt(0.5 * (errors[0].astype(np.float64) ** 2 + errors[1].astype(np.float64) ** 2)),
        flux=np.asarray(stars[f"{flux}_instFlux"], np.float64),
        flux_err=np.asarray(stars[f"{flux}_instFluxErr"], np.float64),
    )
    return header_filter(header), frame


def leave_out_other_scales(groups: dict[str, list[tuple[DataId, FrameStars]]], skipped: list[tuple[str, str]]) -> None:
    """Leave out images whose pixels are not those of most images: places on the detector are not the same.

    Parameters
    ----------
    groups : dict of str to list
        Images of each filter; changed in place.
    skipped : list of (str, str)
        Data IDs that are left out, each with the reason; added to.
    """
    frames = [frame for members in groups.values() for _, frame in members]
    if not frames:
        return
    logs = np.log([frame.wcs.pixel_scale for frame in frames])
    alike = np.abs(logs[:, None] - logs) < _SAME_SCALE
    most = int(alike.sum(axis=1).argmax())
    reasons = {
        frame.name: f"its pixels are {frame.wcs.pixel_scale:.3f} arcsec, those of most images "
        f"{frames[most].wcs.pixel_scale:.3f}: frames of another binning or camera have other places on the detector; "
        "calibrate them alone with --id"
        for frame, is_like in zip(frames, alike[most], strict=True)
        if not is_like
    }
    skipped.extend(reasons.items())
    for name, members in list(groups.items()):
        groups[name] = [one for one in members if one[1].name not in reasons]
        if not groups[name]:
            del groups[name]


def place_detectors(
    groups: dict[str, list[tuple[DataId, FrameStars]]],
) -> tuple[dict[str, list[tuple[DataId, FrameStars]]], list[str]]:
    """Return the images with detectors where their WCSs show them, if the camera has them elsewhere, and what moved.

    The common fit has smooth maps and small displacements, so that a detector that is turned against what the camera
    says would bend the maps of all. Detectors that have other filters in a visit are not beside each other there: a
    scan shows the same sky on one after the other, and several beams on each.

    Parameters
    ----------
    groups : dict of str to list
        Images of each filter.
    """
    frames = [replace(frame, visit=f"{name} {frame.visit}") for name, members in groups.items() for _, frame in members]
    moved = {one.id: one for one in measure_detector_places(frames) if one.is_elsewhere}
    if not moved:
        return groups, []
    texts = [
        f"detector {one.detector.name} is {one.text} against what the camera says, in all visits; it was taken where "
        "the stars show it; to write this into the camera: obs camera adjust OUTPUT --write"
        for one in moved.values()
    ]
    placed = {
        name: [
            (
                data_id,
                replace(frame, detector=moved[frame.detector.id].detector) if frame.detector.id in moved else frame,
            )
            for data_id, frame in members
        ]
        for name, members in groups.items()
    }
    return placed, texts


def keep_connected(
    members: list[tuple[DataId, FrameStars]],
    reference: Catalog | None,
    config: CalibrateVisitsConfig,
    skipped: list[tuple[str, str]],
) -> tuple[list[tuple[DataId, FrameStars]], StarField]:
    """Leave out images that share too few stars with the others, until none is left to be left out.

    Parameters
    ----------
    members : list of (dict, FrameStars)
        Images of a filter.
    reference : Catalog or None
        Reference stars.
    config : CalibrateVisitsConfig
        Settings.
    skipped : list of (str, str)
        Data IDs that are left out, each with the reason; added to.

    Raises
    ------
    MeasurementError
        If no image is left.
    """
    while True:
        stars = make_star_field([frame for _, frame in members], reference, config.stars)
        counts, group = _shared_stars(stars)
        reasons = {}
        for number in range(len(members)):
            if counts[number] < config.stars.minimum_common:
                reasons[number] = (
                    f"it shares {counts[number]} stars with other visits or the reference catalog, and "
                    f"{config.stars.minimum_common} are needed; lower stars.minimum_signal_to_noise, or leave it out"
                )
            elif group[number] != np.bincount(group).argmax():
                reasons[number] = "it has no stars in common with the largest group of images; calibrate it by itself"
        if len(reasons) == len(members):
            raise MeasurementError(next(iter(reasons.values())))
        if not reasons:
            return members, stars
        skipped.extend((members[number][1].name, reason) for number, reason in reasons.items())
        members = [member for number, member in enumerate(members) if number not in reasons]


def _shared_stars(stars: StarField) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return for each frame the number of stars that others have, too, and the group of frames that it belongs to."""
    n_frame = len(stars.frames)
    visits = {name: number for number, name in enumerate(dict.fromkeys(f.visit for f in stars.frames))}
    visit = np.array([visits[frame.visit] for frame in stars.frames])
    # A visit may see a star with two detectors at most once, so that detections count visits.
    seen = np.bincount(stars.star, minlength=stars.n_star)
    seen[: stars.n_reference] += 1
    shared = seen[stars.star] > 1
    counts = np.bincount(stars.frame[shared], minlength=n_frame)
    edges = stars.star[shared], visit[stars.frame[shared]]
    n_visit = len(visits)
    rows, columns = edges[0], stars.n_star + edges[1]
    if stars.n_reference:  # all reference stars are connected with each other
        known = np.arange(stars.n_reference)
        rows = np.concatenate([rows, known])
        columns = np.concatenate([columns, np.full(len(known), stars.n_star + n_visit)])
    size = stars.n_star + n_visit + 1
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    return counts, np.asarray(label[stars.n_star + visit])
