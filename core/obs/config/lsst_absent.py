"""LSST's settings that have no counterpart, and what `obs` does instead."""

import re
from fnmatch import fnmatchcase

__all__ = ["reason_of_absence"]

_STAR_SELECTOR = "stars of the PSF are found by how like each other they are; see characterize.stars"
_ONE_PSF = "there is one kind of PSF, an image that varies over the detector; see characterize.psf"
_MATCHER = "reference stars are matched in another way; see calibrate.astrometry"
_SELECTION = "stars of the zero point are chosen by signal-to-noise ratio and clipped; see calibrate.photometry"
_ALL_MEASURED = "every measurement is always made; see calibrate.measurement"
_BACKGROUND = "cells are clipped medians; see the settings background.style and background.clip"
_QUALITY = "the quality is in metrics and in the report; see obs query and obs report"
_NAMES = "calibrations have the names that the policy gives them"
_DETECTION = "detection differs here; see the settings of the section detection"

#: Pattern of a dotted name behind ``charImage.`` or ``calibrate.``, and what is so instead.
_REASONS = {
    "isr.qa.*": _QUALITY,
    "isr.connections.*": _NAMES,
    "isr.doAddDistortionModel": "the distortion of the camera is always used",
    "isr.doTrimToMatchCalib": "calibrations of another size are refused, or cut where the header says so",
    "isr.fwhm": "pixels are filled without a PSF; see isr.interpolation",
    "isr.datasetType": "what the processing starts from is part of the camera",
    "isr.*DataProductName": _NAMES,
    "isr.*MaskName": "mask planes have fixed names",
    "isr.assembleCcd.*": "frames are always trimmed; see isr.do_assemble",
    "isr.setGainAssembledCcd": "pixels keep their unit, and gains are those of the table of amplifiers",
    "isr.doAssembleIsrExposures": "calibrations are of whole detectors",
    "isr.doNanInterpAfterFlat": "pixels without a number are filled once, after all steps; see isr.interpolation",
    "isr.crosstalk.crosstalkMaskPlane": "mask planes have fixed names",
    "isr.suspectLevel": "it is in the table of amplifiers",
    "isr.brighterFatter*": "see isr.brighter_fatter",
    "isr.doTweakFlat": "flats are taken as they are",
    "isr.doHeaderProvenance": "obs provenance tells the inputs",
    "isr.doDeferredCharge": "charge that is left behind is not corrected",
    "isr.doAmpOffset": "steps between amplifiers are leveled; see characterize.amplifier_steps",
    "isr.vignette.*": "the rim is a circle; see isr.vignette",
    "isr.masking.*": "the camera masks with its own function; see isr.camera_masking",
    "isr.illumScale": "the illumination correction divides as it is",
    "isr.doBootstrap": "leave steps out one by one",
    "isr.overscan.doParallelOverscan": "overscan at the end of columns is not subtracted",
    "isr.doRaiseOnCalibMismatch": "calibrations of another camera or detector are refused",
    "doWrite": "the results of the step are part of the exposure",
    "repair.cosmicray.keepCRs": "pixels of cosmic rays are always filled",
    "repair.doInterpolate": "pixels are filled by isr; see isr.do_interpolate",
    "repair.interp.*": "pixels are filled by isr; see isr.interpolation",
    "background.*": _BACKGROUND,
    "detection.background.*": _BACKGROUND,
    "detection.*": _DETECTION,
    "skySources.*": "places of empty sky are not measured",
    "doSkySources": "places of empty sky are not measured",
    "installSimplePsf.width": "the first PSF has a stamp that fits its width",
    "useSimplePsf": "the first PSF is always a Gaussian",
    "requireCrForPsf": "the PSF is fitted whatever the cosmic rays are",
    "checkUnitsParseStrict": "units are always checked",
    "measurePsf.starSelector*": _STAR_SELECTOR,
    "measurePsf.psfDeterminer*": _ONE_PSF,
    "measurePsf.makePsfCandidates.*": _ONE_PSF,
    "measurePsf.reserve.seed": "which stars are kept out depends on their positions alone",
    "measurement.slots.*": "the columns of slots are fixed",
    "measurement.*": _ALL_MEASURED,
    "catalogCalculation.*": _ALL_MEASURED,
    "afterburners.*": _ALL_MEASURED,
    "measureApCorr.*": "see the settings of the section aperture_correction",
    "applyApCorr.*": "see the settings of the section aperture_correction",
    "deblend.*": "blends are divided in another way; see the section deblend",
    "doInsertFakes": "obs simulate makes frames of known truth",
    "insertFakes.*": "obs simulate makes frames of known truth",
    "doComputeSummaryStats": _QUALITY,
    "computeSummaryStats.*": _QUALITY,
    "doWriteSchema": "src_schema is read from any catalog",
    "setPrimaryFlags.*": "detect_isPrimary is always there",
    "icSourceFieldsToCopy": "calib_psf_used and its like are always copied",
    "astrometry.*": _MATCHER,
    "ref_match.*": _MATCHER,
    "photoCal.*": _SELECTION,
    "*RefObjLoader.*": "see calibrate.reference",
    "refObjLoader.*": "see calibrate.reference",
    "connections.*": _NAMES,
}
_STEP = re.compile(r"^(?:config\.)?(?:charImage|characterizeImage|calibrate)\.")
#: What names of the stack have and ours have not; others may be slips of the pen.
_OF_STACK = re.compile(r"[A-Z]|connections|\.plugins\.|\.names$|\.qa\.")


def reason_of_absence(dotted: str) -> str | None:
    """Return what `obs` does where the stack has a setting without a counterpart; None for any other name.

    Parameters
    ----------
    dotted : str
        The name as written, such as ``calibrate.checkUnitsParseStrict``.
    """
    name, below_a_step = _STEP.subn("", dotted)
    for pattern, reason in _REASONS.items():
        is_meant = pattern == name or (fnmatchcase(name, pattern) and bool(_OF_STACK.search(name)))
        if is_meant and pattern.startswith("isr.") != bool(below_a_step):
            return reason
    return None
