"""Names, units and meanings of all quality metrics.

A metric keeps its name only as long as it keeps its meaning: whoever changes how one is estimated raises its version.
"""

from obs.frozen import frozen

__all__ = ["CONTEXT", "MASTER_METRICS", "METRICS", "Metric", "find_metric"]


@frozen
class Metric:
    """One quality metric, with unit and definition.

    Attributes
    ----------
    name : str
        Its name in queries.
    label : str
        A few words for tables and axes of plots, without the unit.
    unit : str
        Unit; empty for a pure number.
    definition : str
        What it is.
    estimator : str
        How it is measured.
    digits : int
        Decimals that tables show.
    version : int
        Raised when the estimator changes.
    """

    name: str
    label: str
    unit: str
    definition: str
    estimator: str
    digits: int = 2
    version: int = 1

    @property
    def heading(self) -> str:
        """Label of the metric with its unit."""
        return f"{self.label} ({self.unit.replace('^2', '²')})" if self.unit else self.label


_PSF = "PSF model, on a grid of 3 by 3 places over the detector"
_STARS = "stars that the PSF was fitted to or tested with"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("seeing", "seeing", "arcsec", "Full width at half maximum of stars.", f"median of the {_PSF}"),
        Metric("fwhm", "FWHM", "pixel", "Full width at half maximum of stars, in pixels.", f"median of the {_PSF}"),
        Metric(
            "seeing_zenith", "seeing at zenith", "arcsec", "Seeing divided by airmass^0.6.", "from seeing and airmass"
        ),
        Metric(
            "psf_gradient",
            "FWHM gradient",
            "arcsec",
            "How much the width of stars changes over the field.",
            f"sqrt(p95^2 - p5^2) of the FWHM of the {_PSF}",
        ),
        Metric("psf_range", "PSF size range", "pixel", "Largest minus smallest FWHM of the model.", _PSF),
        Metric(
            "star_e", "ellipticity", "", "Ellipticity (a^2 - b^2) / (a^2 + b^2) of stars.", f"median of the {_STARS}", 3
        ),
        Metric(
            "star_e_coherent",
            "common ellipticity",
            "",
            "Ellipticity that all stars share in direction: large when the telescope trails.",
            f"length of the median (e1, e2) of the {_STARS}",
            3,
        ),
        Metric("star_angle", "angle of ellipticity", "deg", "Direction of the common ellipticity.", "from x to y", 0),
        Metric(
            "double_images",
            "double stars",
            "%",
            "Bright sources that have the same companion: the telescope jumped. 0 if they share none.",
            "offsets to neighbors that are 5 times as frequent as by chance",
            0,
            version=2,
        ),
        Metric(
            "psf_concentration",
            "PSF concentration",
            "",
            "Width of the PSF by moments over that at half maximum: 1 for a Gaussian, less for disks.",
            "PSF model in the middle of the detector",
        ),
        Metric(
            "psf_dip",
            "dip of the PSF",
            "",
            "Depth of the dip between two peaks of the PSF along its long axis, over its peak; 0 for one peak.",
            "PSF model in the middle of the detector",
        ),
        Metric("psf_e1_residual", "e1 residual", "", "Ellipticity of stars minus that of the model.", "median, e1", 4),
        Metric("psf_e2_residual", "e2 residual", "", "Ellipticity of stars minus that of the model.", "median, e2", 4),
        Metric(
            "psf_size_residual",
            "PSF size residual",
            "",
            "Relative difference of the size of stars and of the model.",
            "median over stars that were kept out of the fit",
            4,
        ),
        Metric("psf_size_scatter", "PSF size scatter", "", "Scatter of that difference.", "robust, over stars", 4),
        Metric("psf_e_scatter", "ellipticity scatter", "", "Scatter of those differences.", "robust, larger", 4),
        Metric("n_psf_stars", "PSF stars", "", "Stars that the PSF was fitted to.", "count", 0),
        Metric("n_psf_reserved", "reserved stars", "", "Stars that were kept out of the fit of the PSF.", "count", 0),
        Metric("n_psf_offered", "PSF candidates", "", "Stars on the stellar locus.", "count", 0),
        Metric("sky", "sky", "mag/arcsec^2", "Brightness of the sky.", "median of the background, by the zero point"),
        Metric("sky_rate", "sky rate", "adu/s/pixel", "Sky in counts, per second.", "median of the background", 3),
        Metric("sky_level", "sky level", "adu", "Sky in counts.", "median of the background", 1),
        Metric("sky_noise", "sky noise", "adu", "Scatter of pixels beside sources.", "robust, median of amplifiers"),
        Metric(
            "sky_gradient",
            "sky gradient",
            "%",
            "Change of the sky over the detector.",
            "p95 - p5 of the background cells, over the median",
            1,
        ),
        Metric(
            "sky_spot",
            "spot of the sky",
            "%",
            "How much brighter (or fainter: negative) the sky is where it differs most from the rest of the detector.",
            "second largest distance of a background cell from their median, over the sky",
            1,
        ),
        Metric(
            "corner_glow",
            "glow in a corner",
            "sigma",
            "How much brighter the brightest corner of the detector is than the sky around it.",
            "median of 32 by 32 pixels minus that of pixels 96 to 160 from the corner, over the noise of a pixel",
            1,
        ),
        Metric(
            "sky_bimodal",
            "step of the sky",
            "%",
            "Distance between two levels of the sky, over the sky; 0 if it has one level.",
            "background cells, divided by Otsu's method where the groups differ by 6 times their scatter; or the "
            "largest step between columns or rows, which is removed",
            1,
        ),
        Metric(
            "noise_ratio",
            "noise / expected",
            "",
            "Noise of the sky over the noise that the variance plane predicts.",
            "scatter of pixels four apart, in quiet cells",
        ),
        Metric(
            "background_residual",
            "background residual",
            "",
            "What the background leaves beside sources, in noise of a pixel.",
            "rms of cells beyond their errors",
            3,
        ),
        Metric(
            "depth",
            "depth",
            "mag",
            "Magnitude of a point source at five times its error.",
            "median error of faint sources, by the zero point",
        ),
        Metric(
            "depth_predicted",
            "depth predicted",
            "mag",
            "The same, from PSF area, noise of the sky and zero point.",
            "variance plane and sum of squares of the PSF model",
            version=2,
        ),
        Metric(
            "zero_point",
            "zero point",
            "mag",
            "Magnitude of one count in this exposure, in the system of the reference catalog.",
            "fit to reference stars",
            3,
        ),
        Metric(
            "zero_point_rate",
            "zero point (1 s)",
            "mag",
            "Magnitude of one count per second, in the system of the reference catalog.",
            "zero point - 2.5 log10(exposure time)",
            3,
        ),
        Metric(
            "zp_scatter",
            "zero-point scatter",
            "mag",
            "Scatter of stars about the zero point.",
            "robust, bright unsaturated stars",
            3,
        ),
        Metric("zp_error", "zero-point error", "mag", "Standard error of the zero point.", "fit to reference stars", 4),
        Metric("zp_n_stars", "zero-point stars", "", "Stars in the fit of the zero point.", "count", 0),
        Metric(
            "zp_trend",
            "zero-point trend",
            "mag",
            "Change of the zero point over the detector; 0 if stars show none.",
            "surface through the zero points of all matched stars, largest minus smallest, less what PSF and aperture "
            "fluxes do not share",
            3,
            version=2,
        ),
        Metric(
            "psf_trend",
            "PSF flux trend",
            "mag",
            "Change of PSF minus aperture magnitudes over the detector; 0 if stars show none.",
            "surface through the differences of all matched stars, largest minus smallest",
            3,
        ),
        Metric(
            "zp_trend_error",
            "error of the zero-point trend",
            "mag",
            "Standard error of the zero-point trend; without a value if stars show no change.",
            "covariance of the surface between its largest and smallest value",
            3,
        ),
        Metric(
            "psf_trend_error",
            "error of the PSF flux trend",
            "mag",
            "Standard error of the PSF flux trend; without a value if stars show no change.",
            "covariance of the surface between its largest and smallest value",
            3,
        ),
        Metric(
            "zp_bright",
            "bright stars - others",
            "mag",
            "Zero point of the brightest stars minus that of the others; 0 if they agree within 5 errors.",
            "medians of the brightest tenth, and of the brighter half of the rest",
            3,
        ),
        Metric(
            "color_term",
            "color term",
            "mag/mag",
            "Change of the zero point with the color of stars, after the color term of the camera.",
            "robust line through the zero points of all matched stars, against neighboring bands of the catalog",
            3,
        ),
        Metric("color_term_error", "error of the color term", "mag/mag", "Its standard error.", "fit", 3),
        Metric(
            "psf_minus_aperture",
            "PSF - aperture",
            "mag",
            "PSF magnitude minus aperture magnitude of stars.",
            "median over stars",
            4,
        ),
        Metric(
            "psf_minus_aperture_error",
            "error of PSF - aperture",
            "mag",
            "Standard error of PSF magnitude minus aperture magnitude.",
            "scatter over stars",
            4,
        ),
        Metric(
            "halo",
            "light beyond the aperture",
            "%",
            "Light of stars beyond the reference aperture, against that within: wings, dew, dust, thin cloud.",
            "sum of the pixels about bright stars, out to 2.9 radii of the aperture",
            1,
        ),
        Metric(
            "halo_error",
            "error of the light beyond",
            "%",
            "Standard error of the light of stars beyond the reference aperture.",
            "scatter over stars, and noise of the sky",
            1,
        ),
        Metric(
            "star_tail",
            "tails of stars",
            "%",
            "Light of stars in tails along rows or columns that grow from one border to the other: deferred charge.",
            "line through the asymmetry of bright stars, at the border where it is largest; 0 if there are none",
        ),
        Metric(
            "star_growth",
            "growth of bright stars",
            "%",
            "How much larger than faint ones the brightest stars are (brighter-fatter effect, nonlinearity), else 0.",
            "line through the size of bright stars, relative to the PSF, against their flux",
        ),
        Metric("astrom_scatter", "astrometric scatter", "mas", "Scatter of matched positions, per axis.", "robust", 0),
        Metric(
            "pointing_error",
            "pointing error",
            "arcsec",
            "Distance of the solved position from that of the header.",
            "middle of the detector",
            1,
        ),
        Metric(
            "pointing_share",
            "pointing error / field",
            "",
            "Pointing error without dithers over the shorter side of the detector, or over 10 arcmin if longer.",
            "middle of the detector",
            3,
        ),
        Metric("rotation_error", "rotation error", "deg", "Rotation of the solution against the header.", "fit", 3),
        Metric("scale_ratio", "scale / nominal", "", "Pixel scale over the nominal one.", "fit", 5),
        Metric(
            "astrom_matched",
            "matched",
            "",
            "Fraction of sources, or of reference sources if fewer, that match.",
            "astrometric fit",
        ),
        Metric("n_sources", "sources", "", "Sources that were measured.", "count", 0),
        Metric("n_stars", "stars", "", "Isolated point sources above 20 times their error.", "count", 0),
        Metric("n_reference", "matched sources", "", "Sources with a reference source.", "count", 0),
        Metric(
            "stars_expected",
            "stars / expected",
            "",
            "Reference stars that were found, of those brighter than the depth by 1.5 mag.",
            "counts inside the frame",
        ),
        Metric(
            "source_anomaly",
            "crowd of sources",
            "sigma",
            "How far the bin with the most sources stands out: ghosts, halos and clusters.",
            "(fullest - lower quartile) / sqrt(lower quartile) of counts in bins of 12 sources",
            1,
        ),
        Metric("saturated", "saturated", "%", "Saturated pixels.", "mask plane SAT", 2),
        Metric(
            "masked", "masked", "%", "Pixels that are not measurements: bad, saturated, without data.", "mask planes", 2
        ),
        Metric("cosmic_rays", "cosmic rays", "pixel/Mpixel/s", "Pixels hit by cosmic rays.", "count, by area and time"),
        Metric(
            "cosmic_rays_error",
            "error of the cosmic rays",
            "pixel/Mpixel/s",
            "Standard error of the pixels hit by cosmic rays.",
            "Poisson, of hits of ten pixels each",
        ),
        Metric(
            "cosmic_rays_single",
            "single pixels hit",
            "%",
            "Pixels taken for cosmic rays that stand alone, as hot pixels do and tracks of cosmic rays do not.",
            "of all pixels hit",
            0,
        ),
        Metric(
            "stars_hit",
            "stars hit",
            "%",
            "Stars, but for saturated ones, whose center was taken for a cosmic ray.",
            "flags of 40 and more sources",
            version=3,
        ),
        Metric("n_streaks", "streaks", "", "Trails of satellites and aircraft.", "count", 0),
        Metric("streaks", "in streaks", "%", "Pixels in those trails.", "mask"),
        Metric("overscan_level", "overscan level", "adu", "Level of the overscan.", "median of the amplifiers", 1),
        Metric("read_noise", "read noise", "electron", "Scatter of the overscan.", "median of the amplifiers"),
        Metric(
            "read_noise_shape",
            "shape of the read noise",
            "",
            "Standard deviation over mean absolute deviation of the overscan, relative to a Gaussian: less than 1 for "
            "two levels or a wave, more for spikes.",
            "pixels within 6 sigma, spread over a step; of the amplifier that is farthest from 1",
        ),
        Metric(
            "read_noise_pattern",
            "pattern of the read noise",
            "",
            "Power of the overscan at its strongest frequency over the median power, 1 for noise.",
            "along lines, median over lines; largest of the amplifiers",
        ),
        Metric(
            "deferred_charge",
            "deferred charge",
            "%",
            "Part of the light of the last pixels that the overscan begins with: charge that transfers leave behind.",
            "mean of the first pixels of the overscan above its second half; largest of the amplifiers",
            2,
        ),
        Metric(
            "amp_noise_low",
            "quietest amplifier",
            "",
            "Noise of the quietest amplifier over the noise expected there.",
            "robust scatter beside sources",
        ),
        Metric(
            "amp_step",
            "amplifier step",
            "sigma",
            "Largest difference of the sky between two amplifiers.",
            "medians, in noise of a pixel",
        ),
        Metric(
            "amp_dead",
            "dead amplifiers",
            "",
            "Amplifiers without light, or masked for the most part; of one that is dark in a part, that part.",
            "noise and masks of each, noise of eighths of its rows",
            version=2,
        ),
        Metric("bias_age", "age of the bias", "d", "Days from the bias to the exposure.", "dates of headers", 1),
        Metric("dark_age", "age of the dark", "d", "Days from the dark to the exposure.", "dates of headers", 1),
        Metric("flat_age", "age of the flat", "d", "Days from the flat to the exposure.", "dates of headers", 1),
        Metric(
            "header_problems",
            "header problems",
            "",
            "What is missing in the header, or cannot be.",
            "exposure time, date, pointing, filter, airmass against altitude, detector off its set point",
            0,
        ),
        Metric("n_warnings", "warnings", "", "Warnings of the processing.", "count", 0),
        Metric("seconds", "time", "s", "Time of processing.", "sum of the steps", 1),
        Metric(
            "peak_memory", "peak memory", "MB", "Most memory that the process has used so far.", "operating system", 0
        ),
    )
}

#: Facts of an exposure that explain its metrics; they have no gates.
CONTEXT: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("mjd", "time", "d", "Middle of the exposure, MJD UTC.", "header", 5),
        Metric("exposure_time", "exposure", "s", "Exposure time.", "header", 1),
        Metric("airmass", "airmass", "", "Airmass.", "header"),
        Metric("altitude", "altitude", "deg", "Altitude of the field.", "header", 1),
        Metric("hour_angle", "hour angle", "h", "Hour angle of the field, west positive.", "time and place", 2),
        Metric("moon_separation", "Moon distance", "deg", "Angle between field and Moon.", "ephemeris", 0),
        Metric(
            "moon_altitude", "Moon altitude", "deg", "Altitude of the Moon.", "ephemeris, place of the observatory", 0
        ),
        Metric("moon_phase", "Moon lit", "%", "Lit fraction of the Moon.", "ephemeris", 0),
        Metric(
            "moon_sky",
            "moonlight",
            "mag/arcsec^2",
            "How much the Moon should brighten a dark sky.",
            "Krisciunas & Schaefer (1991), the Moon's airmass by Kasten & Young (1989)",
            version=2,
        ),
        Metric("sun_altitude", "Sun altitude", "deg", "Altitude of the Sun.", "ephemeris, place of the observatory", 0),
        Metric("focus", "focus", "", "Position of the focus.", "header"),
        Metric("temperature", "air temperature", "C", "Outside temperature.", "header", 1),
        Metric("ccd_temperature", "CCD temperature", "C", "Temperature of the detector.", "header", 1),
        Metric("ra", "RA", "deg", "Right ascension of the middle of the detector.", "WCS", 4),
        Metric("dec", "Dec", "deg", "Declination of the middle of the detector.", "WCS", 4),
        Metric("field_size", "field", "deg", "Diagonal of the detector on the sky.", "WCS", 3),
    )
}

MASTER_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("n_used", "inputs used", "", "Frames that were combined.", "count", 0),
        Metric("n_dropped", "inputs rejected", "", "Frames that were left out.", "count", 0),
        Metric("level", "level", "adu", "Level of the inputs: ADU of a flat, seconds of a dark.", "median", 1),
        Metric(
            "noise_expected", "noise / expected", "", "Noise over the noise predicted.", "largest of the amplifiers"
        ),
        Metric(
            "master_change",
            "changed pixels",
            "%",
            "Pixels that differ from the calibration frame of the nearest earlier date by more than 6 sigma.",
            "variances of both; the median difference taken out",
            2,
        ),
        Metric("clipped", "clipped values", "", "Values rejected as outliers.", "count", 0),
        Metric("peak_memory", "peak memory", "MB", "Most memory of the process.", "operating system", 0),
    )
}


def find_metric(name: str) -> Metric | None:
    """Return the metric, or the fact of an exposure, of a name; None for other columns.

    Parameters
    ----------
    name : str
        Column of the table of metrics.
    """
    return METRICS.get(name) or CONTEXT.get(name) or MASTER_METRICS.get(name)
