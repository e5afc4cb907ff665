"""LSST's names of settings, for those who know them by heart.

Each stands beside ours and means the same. A setting of the stack that has no counterpart here is not in the table, and
so is refused rather than silently without effect.
"""

__all__ = ["PROCESS_FILE_NAMES", "PROCESS_NAMES"]

#: Of ``processCcd.py``: what the names begin with there and here, and the names below that.
_PROCESS = {
    ("", ""): {
        "doCalibrate": "do_calibrate",
        "isr.doWrite": "isr.write",
    },
    ("charImage.", "characterize."): {
        "doApCorr": "aperture_correction.enabled",
        "doDeblend": "deblend.enabled",
        "doMeasurePsf": "measure_psf",
        "doWriteExposure": "write_exposure",
        "installSimplePsf.fwhm": "initial_psf_fwhm",
        "measureApCorr.fitConfig.orderX": "aperture_correction.order",
        "measureApCorr.numSigmaClip": "aperture_correction.clip",
        "measurePsf.psfDeterminer.psfex.spatialOrder": "psf.degree",
        "measurePsf.reserve.fraction": "stars.reserve_fraction",
        "psfIterations": "psf_iterations",
    },
    ("calibrate.", "calibrate."): {
        "astrometry.forceKnownWcs": "astrometry.force_known_wcs",
        "astrometry.matcher.maxOffsetPix": "astrometry.max_offset",
        "astrometry.wcsFitter.order": "astrometry.order",
        "astromRefObjLoader.ref_dataset_name": "reference.name",
        "doAstrometry": "astrometry.enabled",
        "doDeblend": "deblend.enabled",
        "doPhotoCal": "photometry.enabled",
        "doWrite": "write",
        "doWriteMatches": "write_matches",
        "matchRadiusPix": "flag_match_radius",
        "photoCal.nSigma": "photometry.clip",
        "photoCal.sigmaMax": "photometry.sigma_max",
        "photoRefObjLoader.ref_dataset_name": "reference.name",
        "requireAstrometry": "astrometry.required",
        "requirePhotoCal": "photometry.required",
    },
}

#: What characterization and calibration have in common.
_BOTH = {
    "background.approxOrderX": "background.order",
    "background.binSize": "background.bin_size",
    "background.ignoredPixelMask": "background.bad_planes",
    "catalogCalculation.plugins.base_ClassificationExtendedness.fluxRatio": "measurement.extendedness_ratio",
    "detection.includeThresholdMultiplier": "detection.include_threshold_factor",
    "detection.minPixels": "detection.minimum_pixels",
    "detection.nSigmaToGrow": "detection.grow",
    "detection.reEstimateBackground": "detection.reestimate_background",
    "detection.thresholdValue": "detection.threshold",
    "measurement.plugins.base_CircularApertureFlux.maxSincRadius": "measurement.maximum_sinc_radius",
    "measurement.plugins.base_CircularApertureFlux.radii": "measurement.apertures",
}

#: Settings of ``processCcd.py``: LSST's dotted name to ours. ``plugins["name"].x`` is written ``plugins.name.x``.
PROCESS_NAMES = {
    there + name: here + ours
    for (there, here), names in _PROCESS.items()
    for name, ours in (names if not there else {**names, **_BOTH}).items()
}

#: Settings of ``processFile.py``, and those that its tasks share with ``processCcd.py``.
PROCESS_FILE_NAMES = {
    "doVariance": "variance_from_gain",
    "isBackgroundSubtracted": "background_subtracted",
    "noise": "read_noise",
    **{name: ours for name, ours in PROCESS_NAMES.items() if not ours.startswith("isr.")},
}
