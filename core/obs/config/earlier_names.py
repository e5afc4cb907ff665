"""Names that settings had in earlier versions, which files of settings still have: dotted name to today's."""

__all__ = ["EARLIER_PROCESS_NAMES", "EARLIER_SIMULATE_NAMES"]

#: Of ``obs process`` and ``obs process-file``.
EARLIER_PROCESS_NAMES = {
    "calibrate.photometry.apply_colour_terms": "calibrate.photometry.apply_color_terms",
    "calibrate.photometry.colour_terms": "calibrate.photometry.color_terms",
}

#: Of ``obs simulate``.
EARLIER_SIMULATE_NAMES = {"cosmic_rays.ionisation": "cosmic_rays.ionization"}
