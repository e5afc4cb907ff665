"""PSFs as the binary table that PSFEx writes, and that SExtractor and GalSim read."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from obs.errors import FileFormatError
from obs.image.psf import PixelPsf
from obs.repo.fits_file import header_to_dict, set_cards, table_bytes, write_hdus

__all__ = ["PSF_EXTNAME", "psf_bytes", "psf_from_hdu", "write_psf"]

PSF_EXTNAME = "PSF_DATA"


def psf_bytes(psf: PixelPsf) -> bytes:
    """Return a PSF as a table HDU with one row; its positions are 1-based as SExtractor counts.

    Parameters
    ----------
    psf : PixelPsf
        PSF, whose positions are 0-based pixels.

    Returns
    -------
    bytes
        Header and data of the HDU.
    """
    n_term, height, width = psf.basis.shape
    header = fits.Header()
    set_cards(
        header,
        {
            "TTYPE1": "PSF_MASK",
            "TFORM1": f"{psf.basis.size}E",
            "TDIM1": f"({width},{height},{n_term})",
            "LOADED": (psf.n_star, "number of loaded sources"),
            "ACCEPTED": (psf.n_star, "number of accepted sources"),
            "CHI2": (psf.chi2, "reduced chi-squared of the fit"),
            "POLNAXIS": (2, "number of context parameters"),
            "POLGRP1": (1, "polynomial group of parameter 1"),
            "POLNAME1": ("X_IMAGE", "name of parameter 1"),
            "POLZERO1": (float(psf.x_zero + 1.0), "[pix] offset of parameter 1, 1-based"),
            "POLSCAL1": (float(psf.x_scale), "[pix] scale of parameter 1"),
            "POLGRP2": (1, "polynomial group of parameter 2"),
            "POLNAME2": ("Y_IMAGE", "name of parameter 2"),
            "POLZERO2": (float(psf.y_zero + 1.0), "[pix] offset of parameter 2, 1-based"),
            "POLSCAL2": (float(psf.y_scale), "[pix] scale of parameter 2"),
            "POLNGRP": (1, "number of polynomial groups"),
            "POLDEG1": (psf.degree, "polynomial degree of group 1"),
            "PSF_FWHM": (psf.fwhm, "[pix] full width at half maximum"),
            "PSF_SAMP": (float(psf.sampling), "[pix] step between PSF samples"),
            "PSFNAXIS": (3, "dimensions of the PSF data"),
            "PSFAXIS1": (width, "samples along x"),
            "PSFAXIS2": (height, "samples along y"),
            "PSFAXIS3": (n_term, "number of polynomial terms"),
            "PSF_INTP": (psf.interpolation, "weights that move the samples"),
            "STAMP_NX": (psf.stamp_shape[1], "[pix] width of the PSF in detector pixels"),
            "STAMP_NY": (psf.stamp_shape[0], "[pix] height of the PSF in detector pixels"),
        },
    )
    row = np.array([(psf.basis,)], dtype=[("PSF_MASK", ">f4", psf.basis.shape)])
    return table_bytes(row, list(header.cards), PSF_EXTNAME)


def psf_from_hdu(hdu: fits.BinTableHDU) -> PixelPsf:
    """Read a PSF table, our own or PSFEx's.

    Parameters
    ----------
    hdu : fits.BinTableHDU
        Table with the column ``PSF_MASK``, whose positions count from 1.

    Returns
    -------
    PixelPsf
        With positions in 0-based pixels.

    Raises
    ------
    FileFormatError
        If the PSF varies with something else than the position, or a card is missing.
    """
    cards = header_to_dict(hdu.header)
    degree, zero, scale = 0, [0.0, 0.0], [1.0, 1.0]
    try:
        if cards["POLNAXIS"] != 0:
            names = [str(cards[f"POLNAME{i + 1}"]) for i in range(cards["POLNAXIS"])]
            places = [name[:1] + name[-5:] for name in names]
            if places != ["XIMAGE", "YIMAGE"] or cards["POLNGRP"] != 1:
                raise FileFormatError(f"the PSF varies with {', '.join(names)}; only X_IMAGE, Y_IMAGE are read")
            degree = int(cards["POLDEG1"])
            zero = [cards[f"POLZERO{i}"] - 1.0 for i in (1, 2)]
            scale = [cards[f"POLSCAL{i}"] for i in (1, 2)]
        shape = tuple(cards[f"PSFAXIS{i}"] for i in range(cards["PSFNAXIS"], 0, -1))
        basis = np.array(hdu.data["PSF_MASK"][0], np.float32).reshape(-1, *shape[-2:])
        stamp = (cards["STAMP_NY"], cards["STAMP_NX"]) if "STAMP_NX" in cards else None
        return PixelPsf(
            basis,
            degree,
            x_zero=zero[0],
            x_scale=scale[0],
            y_zero=zero[1],
            y_scale=scale[1],
            sampling=cards["PSF_SAMP"],
            stamp_shape=stamp,
            fwhm=float(cards.get("PSF_FWHM", "nan")),
            chi2=float(cards.get("CHI2", "nan")),
            n_star=cards.get("ACCEPTED", 0),
            # files of PSFEx, and of ours before the card, were fitted with Lanczos
            interpolation="star" if cards.get("PSF_INTP") == "star" else "lanczos",
        )
    except KeyError as error:
        raise FileFormatError(f"PSF table without {error.args[0]}") from None


def write_psf(psf: PixelPsf, path: Path | str) -> None:
    """Write a PSF file of its own, as PSFEx does.

    Parameters
    ----------
    psf : PixelPsf
        Point-spread function.
    path : Path or str
        File; it is written whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_hdus(path, [fits.PrimaryHDU()], psf_bytes(psf))
