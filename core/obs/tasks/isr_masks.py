"""Steps of instrument-signature removal that say which pixels are not measurements, and fill them."""

import numpy as np

from obs.algorithms.detector.defects import mask_boxes, mask_edges, mask_not_finite
from obs.algorithms.detector.interpolate import grow_plane, interpolate_pixels, set_bad_regions
from obs.algorithms.detector.saturation import widen_saturation_trails
from obs.algorithms.detector.vignette import mask_vignetted
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.errors import MeasurementError
from obs.geom import Box
from obs.instrument.instrument import resolve
from obs.tasks.isr_work import USELESS_PLANES, Work

__all__ = [
    "check_usable",
    "fill_bad_regions",
    "interpolate",
    "mask_camera_specific",
    "mask_defects",
    "mask_nans",
    "mask_vignetting",
    "save_uninterpolated",
    "widen_trails",
]


def mask_defects(work: Work) -> None:
    """Mask defects BAD, and edges SUSPECT.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. Defects are boxes of the assembled detector, so a frame that is not assembled gets
        a warning instead.
    """
    mask, config, detector = work.pixels.mask, work.config, work.detector
    if work.assembled:
        mask_boxes(mask, work.calibrations.defects or ())
    elif work.calibrations.defects:
        work.warn("defects are those of the assembled detector, and isr.do_assemble is off: not masked")
    if config.edge_suspect_width:
        amplifiers = [work.box(amp) for amp in detector.amplifiers]
        whole = Box(0, 0, mask.shape[1], mask.shape[0])
        mask_edges(mask, [whole] if config.edge_mask_level == "DETECTOR" else amplifiers, config.edge_suspect_width)


def mask_nans(work: Work) -> None:
    """Mask pixels that are not finite number, and record how many there are.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. Receives the card NUMNANS.
    """
    work.metadata["NUMNANS"] = mask_not_finite(work.pixels)


def widen_trails(work: Work) -> None:
    """Widen thick runs of saturated pixels.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed.
    """
    widen_saturation_trails(work.pixels.mask)


def mask_camera_specific(work: Work) -> None:
    """Run the camera's own function for masking.

    Parameters
    ----------
    work : Work
        Frame. The function that ``isr.camera_masking`` names is called with its pixels and its detector.
    """
    resolve(str(work.config.camera_masking))(work.pixels, work.detector)


def check_usable(work: Work) -> None:
    """Refuse a frame without a single good pixel.

    Parameters
    ----------
    work : Work
        Frame; it is not changed.

    Raises
    ------
    MeasurementError
        If every pixel is bad, saturated or no number; tells how many are what.
    """
    mask = work.pixels.mask
    bits = np.int32(mask.bits(*USELESS_PLANES))
    if not all(((mask.array[rows] & bits) != 0).all() for rows in row_blocks(mask.shape)):
        return
    parts = [(name, float(mask.any(name).mean())) for name in USELESS_PLANES]
    shares = ", ".join(f"{name} {100 * part:.0f} %" for name, part in parts if part)
    raise MeasurementError(f"no pixel of detector '{work.detector.name}' can be used: {shares}; nothing to process")


def mask_vignetting(work: Work) -> None:
    """Mask what is outside of the vignetting circle.

    Parameters
    ----------
    work : Work
        Frame whose mask is changed. Receives the card ISR_VIGNETTED.
    """
    config = work.config.vignette
    work.metadata["ISR_VIGNETTED"] = mask_vignetted(
        work.pixels.mask, work.detector, x=config.x, y=config.y, radius=config.radius
    )


def save_uninterpolated(work: Work) -> None:
    """Hand over a copy of the pixels as they are before interpolation.

    Parameters
    ----------
    work : Work
        Frame; nothing happens unless it has a function ``keep``.
    """
    if work.keep is not None:
        work.keep(work.pixels.copy())


def fill_bad_regions(work: Work) -> None:
    """Give BAD pixels the value of the good ones.

    Parameters
    ----------
    work : Work
        Pixels, changed in place to the mean or median of the others, as ``isr.bad_statistic`` says.
    """
    set_bad_regions(work.pixels, avoid=USELESS_PLANES[1:], statistic=work.config.bad_statistic)


def interpolate(work: Work) -> None:
    """Fill bad pixels from their neighbors.

    Parameters
    ----------
    work : Work
        Pixels, changed in place. Saturated pixels are grown first by ``isr.interpolation.grow_saturation`` pixels.
    """
    config = work.config.interpolation
    left_out = {"SAT"} if not config.saturation else set()
    left_out |= {"UNMASKEDNAN"} if not config.not_a_number else set()
    planes = tuple(plane for plane in config.planes if plane not in left_out)
    if "SAT" in planes:
        grow_plane(work.pixels, "SAT", config.grow_saturation)
    interpolate_pixels(work.pixels, planes, maximum_width=config.maximum_width)
