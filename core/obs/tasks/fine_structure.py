"""Warn of structure of the sky that is finer than the cells of the background, because no background follows it."""

import numpy as np

from obs.algorithms.sky.alternation import measure_alternation
from obs.algorithms.sky.scatter import measure_scatter
from obs.image.masked_image import MaskedImage
from obs.tasks.background import BackgroundConfig, no_sky

__all__ = ["warn_of_fine_structure"]

COARSE = 1.25
"""Least ratio of the noise of means of 4 x 4 pixels, carried to pixels, to that of pixels. Ordinary frames: 1.05."""

WHITE = 0.9
"""Where the noise of neighbors is less than this part of that of pixels four apart, pixels share noise."""

ALTERNATES = 0.1
"""Least difference between even and odd lines, in noise of a pixel."""


def warn_of_fine_structure(masked_image: MaskedImage, config: BackgroundConfig) -> list[str]:
    """Return warnings if the sky has waves or lines.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels with their sources masked.
    config : BackgroundConfig
        Settings of the background, for the pixels that show the sky.
    """
    bad = no_sky(masked_image, config) | ~np.isfinite(masked_image.image)
    scatter = measure_scatter(masked_image.image, masked_image.variance, bad)
    if not scatter.pixel > 0:
        return []
    doubts = []
    if scatter.block > COARSE * scatter.pixel and scatter.single > WHITE * scatter.pixel:
        doubts.append(
            "the sky has structure of some to some tens of pixels, finer than the cells of the background: means of "
            f"4 x 4 pixels scatter {scatter.block / scatter.pixel:.1f} times as much as the noise of pixels explains. "
            "Likely fringes, patterns of the readout, or nebulae. Faint sources are missing, and errors are too small. "
            "Remove fringes (a camera: isr.do_fringe). Smaller cells (characterize.background.bin_size and "
            "calibrate.background.bin_size) bring faint sources back, but take some percent of their light"
        )
    for name, difference in zip(("rows", "columns"), measure_alternation(masked_image.image, ~bad), strict=True):
        if abs(difference) > ALTERNATES * scatter.pixel:
            doubts.append(
                f"every second of the {name} differs by {abs(difference):.3g} counts, "
                f"{abs(difference) / scatter.pixel:.1f} of the noise of a pixel: interlaced fields, amplifiers in turn "
                f"or a color (Bayer) mosaic. Fluxes and errors are of the mean of both; process the two sets of {name} "
                "as images of their own, or remove the difference"
            )
    return doubts
