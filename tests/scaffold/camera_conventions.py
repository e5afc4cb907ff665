"""All cameras in the conventions of observatories, each with what has to be found in its raw frame."""

from cameras_amplifiers import BOK, GMOS, KEPLERCAM, LRIS_EXTENSIONS, MOSAIC, SALT, ZTF
from cameras_detectors import ALFOSC, DECAM, DEIMOS, MEGAPRIME, OMEGACAM, WFC
from cameras_one_image import ARCON, DBSP, DOLORES, FORS1, FORS2, GOODMAN, LRIS, OSMOS
from cameras_one_image_plain import MAXIM, MIDDLE, OLD_DATE, SHARPCAP, SUPRIME_NEW, SUPRIME_OLD, UNBINNED

CAMERAS = (
    LRIS,
    FORS2,
    FORS1,
    GOODMAN,
    DOLORES,
    OSMOS,
    DBSP,
    ARCON,
    SUPRIME_OLD,
    SUPRIME_NEW,
    MAXIM,
    SHARPCAP,
    OLD_DATE,
    UNBINNED,
    MIDDLE,
    LRIS_EXTENSIONS,
    GMOS,
    MOSAIC,
    SALT,
    BOK,
    KEPLERCAM,
    ZTF,
    DEIMOS,
    MEGAPRIME,
    DECAM,
    WFC,
    ALFOSC,
    OMEGACAM,
)
