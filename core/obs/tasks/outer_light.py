"""Measure the light of stars beyond the reference aperture, and count it in fluxes of all light."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import aperture_name
from obs.algorithms.photometry.aperture_correction import ApertureCorrection
from obs.algorithms.photometry.outer_light import REACH, measure_outer_light
from obs.image.catalog import Catalog
from obs.image.masked_image import MaskedImage
from obs.tasks.background import bad_pixels

__all__ = ["OuterLightCheck", "check_outer_light"]

LARGEST, SIGNIFICANT = 0.022, 5.0
"""Part of the light beyond the aperture that ordinary stars do not have, and its least signal-to-noise ratio. SDSS
frames have 1.3 to 1.9 % between 12 and 35 pixels."""

ORDINARY_FWHMS = 3.4
"""This holds for apertures of as many FWHM. Beyond smaller ones there is more light, as the inverse square of them."""

LEAST_COUNTED = 0.005
"""Fluxes of all light count what was measured, not a profile of wings, where it is more by this part of the light."""

BRIGHT, MOST_STARS = 50.0, 200
"""Least signal-to-noise ratio of the stars, and their largest number, the brightest first."""

ALONE = 0.95
"""Part of the light of a blend that a star has to have."""

DEFECTS = ["BAD", "SAT", "CR", "INTRP", "NO_DATA", "UNMASKEDNAN", "STREAK", "EDGE"]


class OuterLightCheck(NamedTuple):
    """What was found of the light beyond the reference aperture.

    Parameters
    ----------
    part, error : float
        Light that the corrections did not count, in units of that within, and its standard error; NaN if there are too
        few stars.
    corrections : dict of str to ApertureCorrection
        Corrections that count it, where it is certain and they are to bring fluxes to all light; else as they came.
    warnings : list of str
        A text if stars have too much of it.
    """

    part: float
    error: float
    corrections: dict[str, ApertureCorrection]
    warnings: list[str]


def check_outer_light(
    masked_image: MaskedImage,
    labels: NDArray[np.int32],
    catalog: Catalog,
    stars: NDArray[np.bool_],
    radius: float,
    fwhm: float,
    corrections: dict[str, ApertureCorrection],
) -> OuterLightCheck:
    """Measure which part of their light stars have beyond the reference aperture, and count it where that is wanted.

    Parameters
    ----------
    masked_image : MaskedImage
        Background-subtracted pixels.
    labels : ndarray of int32, shape (ny, nx)
        Footprint of each pixel.
    catalog : Catalog
        Sources, footprints first.
    stars : ndarray of bool, shape (n,)
        Stars among them.
    radius : float
        Radius of the reference aperture, pixels.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    corrections : dict of str to ApertureCorrection
        Corrections to apply. They have one of the aperture itself if fluxes are scaled to all light.
    """
    reference = aperture_name(radius)
    flux, error = (catalog[f"{reference}_{column}"].astype(np.float64) for column in ("instFlux", "instFluxErr"))
    x, y = (catalog[f"base_SdssCentroid_{axis}"].astype(np.float64) for axis in "xy")
    label, main = _footprints(catalog)
    use = stars & main & np.isfinite(x) & np.isfinite(y) & ~catalog[f"{reference}_flag"] & (flux > BRIGHT * error)
    index = np.flatnonzero(use)
    index = index[np.argsort(-flux[index], kind="stable")][:MOST_STARS]
    sky = masked_image.variance[labels == 0]
    noise = float(np.sqrt(np.median(sky, overwrite_input=True))) if len(sky) else np.nan
    del sky  # nearly a plane
    found = measure_outer_light(
        masked_image.image,
        labels,
        ~bad_pixels(masked_image, DEFECTS),
        x=x[index],
        y=y[index],
        label=label[index],
        flux=flux[index],
        radius=radius,
        noise=noise,
    )
    known, to_total = 0.0, reference in corrections and found.n_star > 1
    if to_total:
        known = float(np.mean(corrections[reference].evaluate(x=x[index], y=y[index]))) - 1.0
    missing = found.part - known
    certain = missing > SIGNIFICANT * found.error
    # wings follow a profile, spikes and halos do not; what was measured ends with the rings, and is no upper limit
    counted = to_total and certain and missing > LEAST_COUNTED
    if counted:
        growth = (1.0 + found.part) / (1.0 + known)
        corrections = {
            name: replace(one, growth=replace(one.growth, coefficients=growth * one.growth.coefficients))
            for name, one in corrections.items()
        }
    largest = LARGEST * max(1.0, (ORDINARY_FWHMS * fwhm / radius) ** 2)
    if not (certain and missing > largest):
        return OuterLightCheck(missing, found.error, corrections, [])
    what = f"{100 * missing:.1f} +- {100 * found.error:.1f} %"
    beyond = f"beyond the reference aperture of {radius:g} pixels, measured out to {REACH * radius:.0f} pixels"
    if counted:
        warning = (
            f"stars have {what} more of their light {beyond}, than wings of seeing: a halo, or diffraction spikes. PSF "
            "and Kron fluxes count it, apertures do not, and light further out stays unknown"
        )
    else:
        warning = (
            f"stars have {what} of their light {beyond}: wide wings, a halo, or diffraction spikes. Fluxes do not "
            "count it, and the zero point makes up for it for stars only; to count it set "
            "calibrate.aperture_correction.to_total=true, or raise "
            f"calibrate.measurement.reference_aperture above {radius:g} pixels"
        )
    return OuterLightCheck(missing, found.error, corrections, [warning])


def _footprints(catalog: Catalog) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the number of each source's footprint, and which sources have nearly all light of theirs."""
    n = len(catalog)
    parent = catalog["parent"]
    place = np.searchsorted(catalog["id"], np.where(parent > 0, parent, catalog["id"]))
    flux = np.nan_to_num(np.maximum(catalog["base_PsfFlux_instFlux"].astype(np.float64), 0.0))
    leaf = catalog["deblend_nChild"] == 0
    whole = np.bincount(place[leaf], flux[leaf], minlength=n)
    return place + 1, leaf & (flux >= ALONE * whole[place])
