"""The table of what a coadd consists of, from which its PSF can be made again."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from obs.coadds.coadd_psf import CoaddPsf, PsfInput
from obs.coadds.frames import Frame
from obs.coadds.warp import Warp
from obs.errors import FileFormatError
from obs.image.catalog import Catalog
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs
from obs.repo.butler import Butler

__all__ = ["input_frames", "inputs_table", "psf_inputs", "read_coadd_psf"]

_KEY = "Key of the data ID of the exposure"
_LIGHT = "psf_light"
_PSF_FACTS = ("x_zero", "x_scale", "y_zero", "y_scale", "sampling", "degree")


def inputs_table(warps: Sequence[Warp], clipped_share: Sequence[float]) -> Catalog:
    """Return the table of the exposures of a coadd.

    Parameters
    ----------
    warps : sequence of Warp
        The exposures.
    clipped_share : sequence of float
        Share of the pixels of each that were rejected as artifacts.
    """
    table = Catalog()
    for key in dict.fromkeys(key for warp in warps for key in warp.candidate.frame.data_id):
        values = [warp.candidate.frame.data_id.get(key, "") for warp in warps]
        table.add(key, np.array(values), description=_KEY)
    weights = np.array([warp.weight for warp in warps])
    table.add("weight", weights / weights.sum(), description="Share of the exposure where all overlap")
    calibs = [warp.calibration.photo_calib for warp in warps]
    zero_points = [np.nan if calib is None else calib.zero_point for calib in calibs]
    table.add("zero_point", np.array(zero_points), "mag", "magnitude of one count of the exposure")
    table.add("seeing", np.array([warp.seeing for warp in warps]), "arcsec", "Full width at half maximum of the PSF")
    table.add("sky_sigma", np.array([warp.sky_sigma for warp in warps]), "adu", "Noise of the sky, counts of the coadd")
    table.add("clipped_share", np.array(clipped_share), description="Share of its pixels rejected as artifacts")
    table.add(
        "calibration", np.array([str(warp.calibration) for warp in warps]), description="Source of WCS and zero point"
    )
    table.add("ny", np.array([warp.shape[0] for warp in warps]), "pix", "Rows of the exposure")
    table.add("nx", np.array([warp.shape[1] for warp in warps]), "pix", "Columns of the exposure")
    cards = [json.dumps(warp.wcs.to_header()) for warp in warps]
    table.add("wcs", np.array(cards), description="WCS of the exposure: FITS cards as JSON")
    size = max(warp.psf.basis.shape[1] for warp in warps)
    degree = max(warp.psf.degree for warp in warps)
    n_term = (degree + 1) * (degree + 2) // 2
    images = np.zeros((len(warps), n_term, size, size), np.float32)
    for row, warp in zip(images, warps, strict=True):
        margin = (size - warp.psf.basis.shape[1]) // 2
        row[: len(warp.psf.basis), margin : size - margin, margin : size - margin] = warp.psf.basis
    text = "Part of the light of its PSF that its zero point counts as all light of a star; NaN if not known"
    table.add(_LIGHT, np.array([warp.light for warp in warps]), description=text)
    for name in _PSF_FACTS:
        table.add(f"psf_{name}", np.array([getattr(warp.psf, name) for warp in warps]), description="Of the PSF model")
    table.add("psf_fwhm", np.array([warp.psf.fwhm for warp in warps]), "pix", "Width of the PSF on the coadd")
    table.add("psf_basis", images.reshape(len(warps), -1), description="Images of the PSF model on the coadd's pixels")
    table.metadata |= {"PSF_SIZE": size}
    return table


def psf_inputs(warps: Sequence[Warp]) -> list[PsfInput]:
    """Return what exposures add to the PSF of their coadd.

    Parameters
    ----------
    warps : sequence of Warp
        Exposures on the pixels of the coadd.
    """
    return [PsfInput(warp.psf, warp.wcs, warp.shape, warp.weight, warp.light) for warp in warps]


def input_frames(table: Catalog) -> list[Frame]:
    """Return the exposures of a coadd from their table.

    Parameters
    ----------
    table : Catalog
        ``deepCoadd_inputs``.
    """
    names = list(table.columns)
    keys = names[: names.index("weight")]
    return [
        Frame(
            {key: _plain(table[key][row]) for key in keys},
            TanSipWcs.from_header(json.loads(str(table["wcs"][row]))),
            (int(table["ny"][row]), int(table["nx"][row])),
        )
        for row in range(len(table))
    ]


def _plain(value: Any) -> int | str:  # noqa: ANN401 - a number or a text of numpy
    return int(value) if np.issubdtype(type(value), np.integer) else str(value).strip()


def read_coadd_psf(butler: Butler, **data_id: Any) -> CoaddPsf:
    """Return the PSF of a coadd from the table of its exposures.

    Parameters
    ----------
    butler : Butler
        The repository.
    **data_id : object
        Keys of the coadd: tract, patch, filter.

    Raises
    ------
    DatasetNotFoundError
        If there is no such coadd.
    FileFormatError
        If its table of exposures is damaged.
    """
    table = butler.get("deepCoadd_inputs", **data_id)
    try:
        inputs = _psf_inputs(table)
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"is not the table of the exposures of a coadd ({type(error).__name__}: {error}); make the coadd again",
            path=butler.path("deepCoadd_inputs", data_id),
        ) from None
    return CoaddPsf(inputs, butler.get("deepCoadd_wcs", **data_id))


def _psf_inputs(table: Catalog) -> list[PsfInput]:
    size = int(table.metadata["PSF_SIZE"])
    inputs = []
    for row in range(len(table)):
        degree = int(table["psf_degree"][row])
        n_term = (degree + 1) * (degree + 2) // 2
        images = np.asarray(table["psf_basis"][row], np.float32).reshape(-1, size, size)[:n_term]
        facts: dict[str, Any] = {name: float(table[f"psf_{name}"][row]) for name in _PSF_FACTS if name != "degree"}
        psf = PixelPsf(images, degree, fwhm=float(table["psf_fwhm"][row]), interpolation="star", **facts)
        wcs = TanSipWcs.from_header(json.loads(str(table["wcs"][row])))
        light = float(table[_LIGHT][row]) if _LIGHT in table else math.nan  # files of before do not have it
        shape = int(table["ny"][row]), int(table["nx"][row])
        inputs.append(PsfInput(psf, wcs, shape, float(table["weight"][row]), light))
    return inputs
