"""LSST's names of settings, for those who know them by heart.

Each stands beside ours and means the same; a table for every command whose configuration it names.
"""

__all__ = ["PROCESS_FILE_NAMES", "PROCESS_NAMES"]

#: Settings of ``processCcd.py``: LSST's dotted name to ours.
PROCESS_NAMES = {
    "isr.doWrite": "isr.write",
    "isr.doBias": "isr.do_bias",
    "isr.doDark": "isr.do_dark",
    "isr.doFlat": "isr.do_flat",
    "isr.doFringe": "isr.do_fringe",
    "isr.doDefect": "isr.do_defects",
    "isr.doOverscan": "isr.do_overscan",
    "isr.doVariance": "isr.do_variance",
    "charImage.doMeasurePsf": "characterize.measure_psf",
    "charImage.psfIterations": "characterize.psf_iterations",
    "charImage.doWriteExposure": "characterize.write_exposure",
    "charImage.doApCorr": "characterize.aperture_correction.enabled",
    "charImage.background.binSize": "characterize.background.bin_size",
    "charImage.detection.thresholdValue": "characterize.detection.threshold",
    "charImage.detection.includeThresholdMultiplier": "characterize.detection.include_threshold_factor",
    "charImage.installSimplePsf.fwhm": "characterize.initial_psf_fwhm",
    "charImage.repair.doCosmicRay": "characterize.cosmic_rays.enabled",
    "charImage.repair.cosmicray.nCrPixelMax": "characterize.cosmic_rays.max_pixels",
    "charImage.repair.cosmicray.minSigma": "characterize.cosmic_rays.min_sigma",
    "charImage.repair.cosmicray.min_DN": "characterize.cosmic_rays.min_counts",
    "charImage.repair.cosmicray.cond3_fac": "characterize.cosmic_rays.contrast",
    "charImage.repair.cosmicray.cond3_fac2": "characterize.cosmic_rays.contrast_second",
    "calibrate.doWrite": "calibrate.write",
    "calibrate.doDeblend": "calibrate.deblend.enabled",
    "calibrate.doAstrometry": "calibrate.astrometry.enabled",
    "calibrate.doPhotoCal": "calibrate.photometry.enabled",
    "calibrate.requireAstrometry": "calibrate.astrometry.required",
    "calibrate.requirePhotoCal": "calibrate.photometry.required",
    "calibrate.astrometry.forceKnownWcs": "calibrate.astrometry.force_known_wcs",
    "calibrate.astrometry.wcsFitter.order": "calibrate.astrometry.order",
    "calibrate.astrometry.matcher.maxOffsetPix": "calibrate.astrometry.max_offset",
    "calibrate.detection.thresholdValue": "calibrate.detection.threshold",
    "calibrate.background.binSize": "calibrate.background.bin_size",
}

#: Settings of ``processFile.py``.
PROCESS_FILE_NAMES = {
    "doVariance": "variance_from_gain",
    "doMask": "mask_saturated",
    "doCalibrate": "do_calibrate",
    "isBackgroundSubtracted": "background_subtracted",
}
