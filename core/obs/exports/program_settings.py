"""Settings files for other programs, and the commands that use them."""

import shlex
from collections.abc import Container, Sequence

__all__ = ["PROGRAM_FILES", "run_lines"]

_SEXTRACTOR = """\
CATALOG_TYPE     FITS_LDAC
PARAMETERS_NAME  obs.param
FILTER_NAME      obs.conv
DETECT_THRESH    1.5
ANALYSIS_THRESH  1.5
# the sky was subtracted
BACK_TYPE        MANUAL
BACK_VALUE       0.0
WEIGHT_TYPE      MAP_WEIGHT
RESCALE_WEIGHTS  N
GAIN_KEY         GAIN
SATUR_KEY        SATURATE
"""
_PARAMETERS = """\
NUMBER
X_IMAGE
Y_IMAGE
XWIN_IMAGE
YWIN_IMAGE
ERRAWIN_IMAGE
ERRBWIN_IMAGE
ERRTHETAWIN_IMAGE
ALPHAWIN_J2000
DELTAWIN_J2000
FLUX_AUTO
FLUXERR_AUTO
FLUX_APER(1)
FLUXERR_APER(1)
FLUX_RADIUS
ELONGATION
SNR_WIN
FLAGS
IMAFLAGS_ISO
"""
_FILTER = """\
CONV NORM
# 3x3 pyramid
1 2 1
2 4 2
1 2 1
"""
_SWARP = """\
COMBINE_TYPE     CLIPPED
RESAMPLING_TYPE  LANCZOS3
# one weight an image: weights by pixel that hold the sources' own noise would shift fluxes
WEIGHT_TYPE      MAP_WEIGHT
WEIGHT_SUFFIX    .weight.fits
FSCALE_KEYWORD   FLXSCALE
GAIN_KEYWORD     GAIN
SATLEV_KEYWORD   SATURATE
# the sky was subtracted
SUBTRACT_BACK    N
PROJECTION_TYPE  TAN
COPY_KEYWORDS    OBJECT,FILTER
"""
_SCAMP = """\
ASTREF_CATALOG     FILE
ASTREFCAT_NAME     reference.cat
ASTREFCENT_KEYS    X_WORLD,Y_WORLD
ASTREFERR_KEYS     ERRA_WORLD,ERRB_WORLD,ERRTHETA_WORLD
ASTREFMAG_KEY      MAG
ASTREFMAGERR_KEY   MAGERR
# positions are right already
MATCH              N
CROSSID_RADIUS     1.0
STABILITY_TYPE     EXPOSURE
PHOTINSTRU_KEY     FILTER
MAGZERO_KEY        MAGZP
CHECKPLOT_TYPE     NONE
"""
_PSFEX = """\
# beside the exported model, IMAGE.psf
PSF_SUFFIX       .psfex.psf
PSF_SIZE         31,31
PSFVAR_DEGREES   2
CHECKPLOT_TYPE   NONE
CHECKIMAGE_TYPE  NONE
"""

#: Files that a program gets, by program.
PROGRAM_FILES: dict[str, dict[str, str]] = {
    "swarp": {"obs.swarp": _SWARP},
    "scamp": {"obs.scamp": _SCAMP},
    "sextractor": {"obs.sex": _SEXTRACTOR, "obs.param": _PARAMETERS, "obs.conv": _FILTER},
    "psfex": {
        "obs.sex": _SEXTRACTOR,
        "obs.param": _PARAMETERS + "VIGNET(45,45)\n",
        "obs.conv": _FILTER,
        "obs.psfex": _PSFEX,
    },
    "ds9": {},
    "siril": {},
}


def run_lines(program: str, images: Sequence[tuple[str, float, float]], files: Container[str]) -> list[str]:
    """Return the commands that run a program on exported images.

    Parameters
    ----------
    program : str
        Name of the program.
    images : sequence of (str, float, float)
        Name of each image without ending, its zero point, and the width of its PSF in pixels; NaN if not known.
    files : container of str
        Names of the files that were written.
    """
    names = [name for name, _, _ in images]
    match program:
        case "swarp":
            return [f"SWarp {_files(names, '.fits')} -c obs.swarp"]
        case "scamp":
            return [f"scamp {_files(names, '.ldac')} -c obs.scamp"]
        case "sextractor":
            return [_sextractor_line(*image) for image in images]
        case "psfex":
            return [*(_sextractor_line(*image) for image in images), f"psfex {_files(names, '.cat')} -c obs.psfex"]
        case "ds9":
            regions = {name: f" -regions {_files([name], '.reg')}" for name in names if f"{name}.reg" in files}
            return [f"ds9 -zscale {_files([name], '.fits')}{regions.get(name, '')}" for name in names]
    return []


def _files(names: Sequence[str], ending: str) -> str:
    """Return files as words of a shell, which runs nothing that is in a name: names may come from headers."""
    return shlex.join([f"./{name}{ending}" if name.startswith("-") else f"{name}{ending}" for name in names])


def _sextractor_line(name: str, zero_point: float, fwhm: float) -> str:
    words = [f"source-extractor {_files([name], '.fits')} -c obs.sex -CATALOG_NAME {_files([name], '.cat')}"]
    words.append(f"-WEIGHT_IMAGE {_files([name], '.weight.fits')} -FLAG_IMAGE {_files([name], '.flag.fits')}")
    if zero_point == zero_point:
        words.append(f"-MAG_ZEROPOINT {zero_point:.4f}")
    if fwhm == fwhm:
        words.append(f"-PHOT_APERTURES {4.0 * fwhm:.1f}")
    return " ".join(words)
