"""Cards of a header that the stars contradict."""

from obs.camera.detector import Detector
from obs.doctor.orientation import MountedCamera
from obs.inspection.cards import Cards
from obs.inspection.header.sky_scale import find_scales, find_sky_scale

__all__ = ["refuted_cards"]

_DEGREES, _SCALE = 1.5, 0.05
"""Degrees, and part of the scale, by which cards may be off: they are often rounded."""


def refuted_cards(cards: Cards, binning: tuple[int, int], detector: Detector, mount: MountedCamera) -> str:
    """Return the cards of an exposure that the stars contradict in scale, rotation or parity; empty if none.

    Parameters
    ----------
    cards : Cards
        Header of the exposure.
    binning : tuple of int
        ``(x, y)``.
    detector : Detector
        Its detector.
    mount : MountedCamera
        What the stars show.
    """
    step = 1 if detector.color_plane is None else 2  # a color has one pixel of two
    scale = mount.plate_scale * detector.pixel_size_x / step
    wrong = {
        name: f"{stated:.4g} arcsec a pixel"
        for name, stated in find_scales(cards, binning)
        if stated > 0.0 and all(abs(stated * factor / scale - 1.0) > _SCALE for factor in {1, *binning})
    }
    sky = find_sky_scale(cards, binning)
    if sky.rotation.is_known and not detector.yaw:
        turned = abs((float(sky.rotation.value) - mount.rotation + 90.0) % 180.0 - 90.0)
        if sky.flip_x != mount.flip_x or turned > _DEGREES:
            stated = f"rotation {float(sky.rotation.value):.4g}, flip_x {str(sky.flip_x).lower()}"
            wrong[sky.rotation.source] = ", ".join(filter(None, (wrong.get(sky.rotation.source), stated)))
    if not wrong:
        return ""
    listed = ", and ".join(f"{name} ({stated})" for name, stated in wrong.items())
    shown = f"{scale:.4g} arcsec a pixel, rotation {mount.rotation:.4g}, flip_x {str(mount.flip_x).lower()}"
    return f"do not believe {listed}: the stars show {shown}"
