"""Make the coadd of one patch in one filter."""

import hashlib
import json
import logging
import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.coadds.assemble import Assembly, assemble
from obs.coadds.coadd_psf import CoaddPsf
from obs.coadds.config import CoaddConfig
from obs.coadds.covered import covered_middle
from obs.coadds.frames import Frame
from obs.coadds.inputs import overlaps
from obs.coadds.inputs_table import inputs_table, psf_inputs
from obs.coadds.matched_coadd import MatchedCoadd, assemble_matched
from obs.coadds.select import select_candidates
from obs.coadds.sky_maps import coadd_roots, load_sky_map
from obs.coadds.warp import Warp, warp_frame
from obs.coadds.write_warps import write_warps
from obs.config.layers import ConfigLayers
from obs.errors import MeasurementError, OutputError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib, common_system
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.repo.rerun_settings import config_path
from obs.repo.warp_store import WarpStore
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Patch
from obs.visits.calibration import calibration_files

__all__ = [
    "MADE_CARD",
    "CoaddSummary",
    "check_sky_map",
    "coadd_patch",
    "combine_patch",
    "is_current",
    "patch_frames",
    "recorded_settings",
]

_LOG = logging.getLogger(__name__)

_DATASET, _MATCHED = "deepCoadd", "deepCoaddPsfMatched"
_TASK = "coadd"
_MAP_CARD = "SKYMAP"
_LEVEL_FACTS = "weight", "gain", "saturation"
#: Card that names what a coadd was made of.
MADE_CARD = "COADDID"
_COARSE = 1.5
#: Share of an exposure that satellites, cosmic rays and moving objects do not cover.
_MOST_CLIPPED = 0.25


@frozen
class CoaddSummary:
    """Summary of a coadd for the printed table.

    Parameters
    ----------
    n_input : int
        Number of exposures.
    depth : float
        Median number of exposures of the pixels that have any.
    seeing : float
        Full width at half maximum of the PSF, arcsec.
    limit : float
        Magnitude of point sources at 5 standard errors.
    n_clipped : int
        Number of values rejected as artifacts.
    psf_error : float
        Root mean square difference of PSF fluxes between the PSF model of the file and the mean of the exposures' PSFs.
    """

    n_input: int
    depth: float
    seeing: float
    limit: float
    n_clipped: int
    psf_error: float


def patch_frames(butler: Butler, frames: Sequence[Frame], tract: int, patch: str) -> list[Frame]:
    """Return the exposures whose sky polygon meets a patch.

    Parameters
    ----------
    butler : Butler
        Butler of a repository with a sky map.
    frames : sequence of Frame
        Exposures to choose from.
    tract : int
        Number of the tract.
    patch : str
        Name of the patch; its outer box counts.
    """
    where = load_sky_map(butler).tract(tract)
    return [frame for frame in frames if overlaps(frame, where, where.patch(patch).outer_box)]


def check_sky_map(butler: Butler) -> None:
    """Compare the sky map with the one that the coadds of the repository were made with.

    Parameters
    ----------
    butler : Butler
        Butler of the repository or of an output of it.

    Raises
    ------
    OutputError
        If they differ.
    """
    sha1 = load_sky_map(butler).sha1
    kind = butler.mapper.dataset_type(_DATASET)
    roots = coadd_roots(butler)
    for _, data_id, path in iterate_datasets(roots, [kind]):
        other = butler.get(f"{_DATASET}_md", data_id).get(_MAP_CARD)
        if other not in (None, sha1):
            root = next(root for root in roots if path.is_relative_to(root))
            folders = [root / f"{_DATASET}-results", *sorted((root / _DATASET).iterdir())]
            old = " ".join(shlex.quote(str(folder)) for folder in folders if folder.is_dir())
            raise OutputError(
                f"{path} was made with another sky map (sha1 {str(other)[:8]}, now {sha1[:8]}): pixels would not fit. "
                f"Put the old sky map back, or remove what was made with it: rm -r {old}",
                path=path,
            )
        return


def is_current(butler: Butler, data_id: Mapping[str, Any], frames: Sequence[Frame], config: CoaddConfig) -> bool:
    """Return whether a coadd is there that was made of the same exposures, calibrations, settings and sky map.

    Parameters
    ----------
    butler : Butler
        Butler whose output is checked.
    data_id : mapping
        Tract, patch and filter of the coadd.
    frames : sequence of Frame
        Exposures of the coadd.
    config : CoaddConfig
        Settings.
    """
    if not butler.exists(_DATASET, data_id, write=True):
        return False
    header = butler.get(f"{_DATASET}_md", data_id)
    return bool(header.get(MADE_CARD) == _identity(butler, frames, config, int(data_id["tract"])))


def recorded_settings(butler: Butler) -> CoaddConfig:
    """Return the settings that the coadds of a repository were made with; the defaults if none are recorded.

    Parameters
    ----------
    butler : Butler
        Butler of the repository or of an output of it.
    """
    layers = ConfigLayers(CoaddConfig)
    for root in butler.roots:
        path = config_path(root, _TASK)
        if path.is_file():
            layers.load(path)
            break
    return layers.build()


@frozen
class Combined:
    """Exposures combined on a patch, not yet written.

    Parameters
    ----------
    sky_map, patch : SkyMap, Patch
        Where.
    wcs : TanSipWcs
        Pixels of the patch to sky.
    box : Box
        Pixels of the patch, counted from 0.
    warps : tuple of Warp
        The exposures.
    assembly : Assembly
        The pixels.
    psf : CoaddPsf
        The PSF at any position.
    matched : MatchedCoadd or None
        The coadd with one PSF, if it was asked for.
    """

    sky_map: SkyMap[Any]
    patch: Patch
    wcs: TanSipWcs
    box: Box
    warps: tuple[Warp, ...]
    assembly: Assembly
    psf: CoaddPsf
    matched: MatchedCoadd | None


def combine_patch(butler: Butler, data_id: Mapping[str, Any], frames: Sequence[Frame], config: CoaddConfig) -> Combined:
    """Combine exposures of one filter on a patch.

    Parameters
    ----------
    butler : Butler
        Repository with an output, where resampled exposures are kept for the moment.
    data_id : mapping
        Tract, patch and filter.
    frames : sequence of Frame
        Exposures that may be used.
    config : CoaddConfig
        Settings.

    Raises
    ------
    MeasurementError
        If none of the exposures can be used.
    """
    sky_map = load_sky_map(butler)
    tract = sky_map.tract(int(data_id["tract"]))
    patch = tract.patch(str(data_id["patch"]))
    wcs = tract.wcs.to_tan_sip(patch.outer_box)
    box = Box(0, 0, patch.outer_box.width, patch.outer_box.height)
    reaching = [frame for frame in frames if overlaps(frame, tract, patch.outer_box)]
    candidates = select_candidates(butler, reaching, config.select)
    _check_scales([candidate.frame for candidate in candidates], wcs.pixel_scale)
    butler.prepare_output()
    with closing(WarpStore(butler.path(_DATASET, data_id, write=True).parent)) as store:
        made = [warp_frame(butler, one, wcs, box, store, config, tract.number) for one in candidates]
        warps = [warp for warp in made if warp is not None]
        if not warps:
            raise MeasurementError(
                f"no exposure can be used: {len(frames)} given, {len(reaching)} reach the patch, {len(candidates)} "
                "were selected; the warnings above say why the others were not"
            )
        if config.warps:
            write_warps(butler, data_id, warps, store, box, wcs, config)
        assembly = assemble(warps, store, box, config)
        matched = None
        if config.psf_matched_coadd:
            matched = assemble_matched(warps, store, box, wcs.pixel_scale, assembly, config)
    psf = CoaddPsf(psf_inputs(warps), wcs)
    return Combined(sky_map, patch, wcs, box, tuple(warps), assembly, psf, matched)


def coadd_patch(
    butler: Butler, data_id: Mapping[str, Any], frames: Sequence[Frame], config: CoaddConfig
) -> CoaddSummary:
    """Make the coadd of a patch from exposures of one filter, and write it.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    data_id : mapping
        Tract, patch and filter.
    frames : sequence of Frame
        Exposures that may be used.
    config : CoaddConfig
        Settings.

    Raises
    ------
    MeasurementError
        If none of the exposures can be used.
    """
    combined = combine_patch(butler, data_id, frames, config)
    sky_map, patch, wcs, warps = combined.sky_map, combined.patch, combined.wcs, combined.warps
    assembly, box = combined.assembly, combined.box
    if len(warps) == 1 and config.artifacts.enabled:
        _LOG.warning(
            "only one exposure: there is nothing to compare it with, so satellites and cosmic rays that its own "
            "mask does not know stay in the coadd"
        )
    _check_clipped(warps, assembly.clipped_share)
    for source in dict.fromkeys(str(warp.calibration) for warp in warps):
        _LOG.info("%s", source)
    psf, psf_error = combined.psf.fit(box.shape, degree=config.psf_degree)
    usable = assembly.count > 0
    depth = float(np.median(assembly.count[usable])) if usable.any() else 0.0
    seeing = float(np.average([warp.seeing for warp in warps], weights=[warp.weight for warp in warps]))
    noise = float(np.sqrt(np.median(assembly.masked_image.variance[usable]))) if usable.any() else float("nan")
    limit = config.zero_point - 2.5 * np.log10(5.0 * noise * np.sqrt(_psf_area(combined.psf, usable)))
    butler.put(inputs_table(warps, assembly.clipped_share), "deepCoadd_inputs", data_id)
    butler.put(assembly.count, "deepCoadd_nImage", data_id)
    pixels, n_clipped, point_sources = assembly.masked_image, assembly.n_clipped, assembly.point_sources
    matched = combined.matched
    del assembly, combined, usable  # memory that writing the exposure needs
    metadata: dict[str, Any] = {
        _MAP_CARD: sky_map.sha1,
        MADE_CARD: _identity(butler, frames, config, int(data_id["tract"])),
        "TRACT": int(data_id["tract"]),
        "PATCH": patch.name,
        "NINPUT": len(warps),
        "NCLIPPED": n_clipped,
        "PSFERROR": round(psf_error, 6),
        "SEEING": round(seeing, 4),
        "BUNIT": "adu",
        **_level_cards(warps),
    }
    exposure = Exposure(
        pixels,
        wcs=wcs,
        psf=psf,
        photo_calib=PhotoCalib.from_zero_point(config.zero_point, _zero_point_error(warps), _system(warps)),
        physical_filter=str(data_id.get("filter", "")),
        metadata=metadata,
    )
    if point_sources is not None:
        image, variance = point_sources.flux()
        score = exposure.with_pixels(MaskedImage(image, pixels.mask, variance))
        butler.put(score, "deepCoadd_score", data_id)
    if matched is not None:
        same = exposure.with_pixels(matched.masked_image)
        same.psf = matched.psf
        facts = {"SEEING": round(matched.psf.fwhm * wcs.pixel_scale, 4), "NINPUT": matched.n_input, "PSFERROR": 0.0}
        same.metadata = {**metadata, **facts}
        butler.put(same, _MATCHED, data_id)
    else:
        butler.remove(_MATCHED, data_id)  # that of an earlier coadd
    butler.put(exposure, _DATASET, data_id)  # the last one: if it is there, all are
    return CoaddSummary(len(warps), depth, seeing, float(limit), n_clipped, psf_error)


def _psf_area(psf: CoaddPsf, usable: NDArray[np.bool_]) -> float:
    """Return the number of pixels whose noise the flux of a point source has; NaN if no pixel is usable."""
    middle = covered_middle(usable)
    if middle is None:
        return float("nan")
    stamp = psf.filled().evaluate(x=[middle[0]], y=[middle[1]])
    return 1.0 / float(np.sum(stamp.astype(np.float64) ** 2))


def _zero_point_error(warps: Sequence[Any]) -> float:
    """Return the standard error of the zero point: that of the mean of the exposures' own, mag."""
    calibs = [warp.calibration.photo_calib for warp in warps]
    errors = np.array([calib.flux_mag0_err / calib.flux_mag0 * 2.5 / np.log(10) for calib in calibs])
    weights = np.array([warp.weight for warp in warps])
    return float(np.sqrt(np.sum((weights * errors) ** 2)) / weights.sum())


def _level_cards(warps: Sequence[Warp]) -> dict[str, float]:
    """Return gain and saturation level of the coadd, as far as all exposures have them.

    The noise of a source's light on the weighted mean is that of one exposure with this gain.
    """
    weights, gains, levels = (np.array([getattr(warp, name) for warp in warps]) for name in _LEVEL_FACTS)
    cards = {}
    if (gains > 0).all():
        cards["GAIN"] = float(weights.sum() ** 2 / np.sum(weights**2 / gains))
    if (levels > 0).all():
        cards["SATURATE"] = float(levels.min())
    return cards


def _system(warps: Sequence[Any]) -> str:
    """Return the magnitude system of the exposures; empty, with a warning, where their zero points differ in it."""
    calibs = [warp.calibration.photo_calib for warp in warps]
    system, systems = common_system(calibs), sorted({calib.system or "unknown" for calib in calibs})
    if not system and len(systems) > 1:
        _LOG.warning(
            "zero points of the exposures are in several magnitude systems (%s), so that their fluxes differ in scale: "
            "process all of them with one reference catalog",
            ", ".join(systems),
        )
    return system


def _check_clipped(warps: Sequence[Warp], shares: Sequence[float]) -> None:
    """Warn of exposures of which so much was rejected that the reason is not an artifact."""
    for warp, share in zip(warps, shares, strict=True):
        if share > _MOST_CLIPPED:
            _LOG.warning(
                "%s: %.0f %% of its values were rejected as artifacts, because its sky, WCS or zero point does not "
                "agree with the other exposures; look at it with obs display, or leave it out with --select-id",
                warp.candidate.frame.name,
                100 * share,
            )


def _check_scales(frames: Sequence[Frame], scale: float) -> None:
    """Warn of exposures that have much finer pixels than the patch: detail is lost, and noise aliased."""
    finer = [frame for frame in frames if scale > _COARSE * frame.wcs.pixel_scale]
    if finer:
        _LOG.warning(
            "the pixels of the sky map (%.3f arcsec) are %.1f times as large as those of %s: detail is lost; make the "
            "sky map with a pixel_scale near %.3f",
            scale,
            scale / finer[0].wcs.pixel_scale,
            finer[0].name,
            finer[0].wcs.pixel_scale,
        )


def _identity(butler: Butler, frames: Sequence[Frame], config: CoaddConfig, tract: int) -> str:
    """Return a digest of sky map, exposures and their calibrations with the times of their files, and settings."""
    inputs = []
    for frame in sorted(frames, key=lambda one: one.name):
        files = [butler.path("calexp", frame.data_id)]
        if config.use_common_calibration:
            files += calibration_files(butler, frame.data_id, tract=tract)
        states = [path.stat() for path in files]
        inputs.append([frame.name, *((state.st_size, state.st_mtime_ns) for state in states)])
    text = json.dumps([load_sky_map(butler).sha1, config.model_dump(mode="json"), inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
