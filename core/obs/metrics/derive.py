"""Numbers that follow from comparing a frame with others: transparency, what the sky has too much, effective time."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from obs.metrics.cause import BRIGHTER
from obs.metrics.compare_amplifiers import add_amplifier_noise
from obs.metrics.compare_detectors import add_zero_point_offsets
from obs.metrics.compare_order import add_clock_steps, add_dimming, add_drifts, add_pointing_drifts
from obs.metrics.compare_shapes import add_shape_excess
from obs.metrics.definitions import Metric
from obs.metrics.dithers import excuse_dithers
from obs.metrics.fields import number_fields
from obs.metrics.moonlight_scale import MoonlightScale
from obs.metrics.moonlit import add_moonlit
from obs.metrics.references import Reference, References, group_of, known_values, summarize

__all__ = ["DERIVED", "add_derived"]

_SPEED = "best tenth of the frames over this one: squared FWHM, or sky rate"

DERIVED: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "transparency",
            "transparency",
            "",
            "Light that the atmosphere lets pass, 1 for the clearest frames.",
            "zero point for 1 s against the best tenth of the night and of other nights, airmass taken out",
        ),
        Metric(
            "sky_excess",
            "sky above expected",
            "mag/arcsec^2",
            "How much brighter the sky is than Moon and twilight explain.",
            "against the median of the frames, moonlight by Krisciunas & Schaefer (1991) taken out",
        ),
        Metric(
            "moon_expected",
            "moonlight expected here",
            "mag/arcsec^2",
            "How much the Moon brightens the sky of this site, as nights with dark and moonlit frames have shown.",
            "moonlight of the model, times its usual ratio to the dark sky in the filter",
        ),
        Metric(
            "moonlit",
            "moonlight",
            "mag/arcsec^2",
            "How much the Moon brightens the sky above that of the night's dark frames; 0 if it is not the cause.",
            "against the median of the frames without the Moon in the same night and filter",
        ),
        Metric(
            "sky_brighter",
            "sky above usual",
            "mag/arcsec^2",
            "How much brighter the sky is than usual without the Moon.",
            "from the sky",
        ),
        Metric(
            "sky_deficit",
            "sky below usual",
            "mag",
            "How much less light the sky has than usual: nothing gets in.",
            "median of the sky rate of the frames",
        ),
        Metric(
            "stars_ratio",
            "stars / usual",
            "",
            "Stars that were found, over those of other frames of the same field and filter.",
            "against the median",
        ),
        Metric(
            "fwhm_ratio",
            "FWHM / usual",
            "",
            "Width of stars in pixels over the usual one, where the pixel scale and with it the seeing is not known.",
            "against the median of the frames",
        ),
        Metric(
            "seeing_ratio",
            "seeing / usual",
            "",
            "Seeing over the usual one.",
            "against the median of the frames",
        ),
        Metric(
            "profile_ratio",
            "profile / usual",
            "",
            "Concentration of the PSF over the usual one: seeing keeps the profile of stars, and focus does not.",
            "against the median of the frames",
        ),
        Metric(
            "effective",
            "effective time",
            "%",
            "Time that this exposure is worth, in parts of its exposure time.",
            "10^(0.8 (depth - depth of the best tenth)), with the predicted depth where none was measured",
            0,
        ),
        Metric("speed_seeing", "speed by seeing", "%", "Part of the best speed that the seeing leaves.", _SPEED, 0),
        Metric("speed_sky", "speed by sky", "%", "Part of the best speed that the sky leaves.", _SPEED, 0),
        Metric(
            "speed_transparency",
            "speed by transparency",
            "%",
            "Part of the best speed that the atmosphere leaves.",
            "square of the transparency",
            0,
        ),
        Metric(
            "depth_difference",
            "depth - predicted",
            "mag",
            "Depth by the errors of faint sources minus that by PSF, noise of the sky and zero point.",
            "from both",
        ),
        Metric(
            "n_solved_alike",
            "frames with positions",
            "",
            "Frames of the same field, filter and exposure time whose stars match the reference catalog.",
            "count",
            0,
        ),
        Metric(
            "source_excess",
            "crowd above usual",
            "sigma",
            "How much more sources crowd in one place than in other frames of the same field and filter.",
            "crowd of sources minus its median",
            1,
        ),
        Metric(
            "amp_noise_ratio",
            "noisiest amplifier / usual",
            "",
            "Read noise of an amplifier over its usual read noise; of the amplifier where this is largest.",
            "against the median of the amplifier in the night, and in other nights",
        ),
        Metric(
            "star_e_excess",
            "ellipticity beside the usual",
            "",
            "How far the ellipticity that all stars share is from the usual one, in length and direction.",
            "distance of (e1, e2) from the median of the night, of the same filter and detector",
            3,
        ),
        Metric(
            "star_e_excess_error",
            "error of the ellipticity beside the usual",
            "",
            "Standard error of the ellipticity beside the usual one.",
            "robust scatter of the frames of the night",
            3,
        ),
        Metric(
            "zp_offset",
            "zero point against the visit",
            "mag",
            "By how much the zero point of a detector left its usual place among the detectors of the visit.",
            "against the median of the visit (3 detectors or more), minus the median of this difference in the night, "
            "or in other nights if that is farther",
            3,
        ),
        Metric(
            "zp_offset_error",
            "error of the zero point against the visit",
            "mag",
            "Standard error of the zero point against the visit.",
            "robust scatter over the detectors of the visit",
            3,
        ),
        Metric(
            "gradient_excess",
            "sky gradient above usual",
            "%",
            "How much more the sky changes over the detector than in other frames of the same field and filter.",
            "sky gradient minus its median; of a sky as bright as usual, because Moon and twilight make it uneven",
            1,
        ),
        Metric(
            "gradient_excess_error",
            "error of the sky gradient",
            "%",
            "Standard error of the sky gradient above usual.",
            "robust scatter over the frames",
            1,
        ),
        Metric(
            "spot_excess",
            "spot of the sky above usual",
            "%",
            "How much more the sky differs in one place than in other frames of the same field and filter.",
            "spot of the sky minus its median, without sign; of a sky as bright as usual, as for the gradient",
            1,
        ),
        Metric(
            "spot_excess_error",
            "error of the spot of the sky",
            "%",
            "Standard error of the spot of the sky above usual.",
            "robust scatter over the frames",
            1,
        ),
        Metric(
            "clock_step",
            "clock set back",
            "s",
            "By how much the exposure began before the end of the one with the number before.",
            "from dates and exposure times of the same night",
            0,
        ),
        Metric(
            "dew",
            "seeing and light drift",
            "",
            "How steadily seeing or halo grew and transparency fell together over several frames, 0 to 1.",
            "smaller of both rank correlations (Kendall) with time, in the steadiest eight frames of the filter",
        ),
        Metric(
            "fading",
            "light fading",
            "%",
            "Light that was lost step by step over eight frames, as dew and frost take it; 0 where it comes and goes.",
            "transparency against the best of eight frames of the filter whose rank correlation (Kendall) with time is "
            "below -0.85, or below -0.7 if `zp_scatter` and `sky_gradient` grow as steadily, airmass within 0.2",
            1,
        ),
        Metric(
            "dimming",
            "light lost against its neighbors",
            "%",
            "Light that this frame lost against those around it, at the same airmass: thin cloud.",
            "transparency against the upper quartile of the nearest eight frames of the filter, airmass within 0.2",
            1,
        ),
        Metric(
            "dimming_error",
            "error of the light lost",
            "%",
            "Standard error of the light lost against the frames around.",
            "robust scatter of the night",
            1,
        ),
        Metric(
            "pointing_drift",
            "drift of the pointing",
            "arcsec/h",
            "How fast the field runs away, where the pointing error grows steadily from frame to frame.",
            "first and last of eight frames of the field whose rank correlation (Kendall) with time is above 0.7",
            0,
        ),
        Metric(
            "dither",
            "dither",
            "arcsec",
            "Part of the pointing error that is dithering around the position in the headers.",
            "distance from the median of the field's frames in the night, up to three times its median",
            1,
        ),
    )
}
_TWILIGHT = -18.0
#: Altitude of the Moon, degrees, and its lit part, percent, between which it lights the sky by paths that no model has.
_LOW_MOON, _LIT_MOON = 8.0, 25.0
_FIELD_FRAMES = 3
#: Metrics of the sky that are compared with those of other frames of the field, and the names of the differences.
_OF_EVENNESS = {"sky_gradient": "gradient_excess", "sky_spot": "spot_excess"}


def add_derived(rows: Sequence[dict[str, Any]], references: References, extinction: float) -> None:
    """Add the metrics of `DERIVED` to rows, None where there is nothing to compare with.

    Parameters
    ----------
    rows : sequence of dict
        Rows of detectors or of visits; changed in place.
    references : References
        What to compare with. Its rows and history gain the columns that comparisons need.
    extinction : float
        Magnitudes for each airmass.
    """
    moonlight = MoonlightScale((*references.rows, *references.history))
    for row in (*references.rows, *references.history, *rows):
        if isinstance(row, dict):
            row["moon_expected"] = moonlight.expect(row)
            _prepare(row, extinction)
    for row in rows:
        clear, dark = references.find("zp_clear", row), references.find("sky_dark", row)
        zero = row.get("zp_clear")
        row["transparency"] = 10 ** (-0.4 * (max(ref.best for ref in clear) - zero)) if clear and zero else None
        _compare_sky(row, dark)
        usual = [ref.median for ref in references.find("sky_rate", row)]
        rate = row.get("sky_rate")
        row["sky_deficit"] = None
        if usual and usual[0] > 0 and rate is not None:
            row["sky_deficit"] = -2.5 * math.log10(max(rate / usual[0], 1e-4))
        row["effective"] = _compute_worth(row, references)
        depth = row.get("depth")
        predicted = row.get("depth_predicted")
        row["depth_difference"] = None if depth is None or predicted is None else depth - predicted
        _add_speeds(row, references)
        widths = references.find("fwhm", row) if row.get("seeing") is None and row.get("fwhm") else []
        row["fwhm_ratio"] = float(row["fwhm"]) / widths[0].median if widths and widths[0].median > 0 else None
        for name, metric in (("seeing_ratio", "seeing"), ("profile_ratio", "psf_concentration")):
            known, value = references.find(metric, row), row.get(metric)
            row[name] = float(value) / known[0].median if known and value and known[0].median > 0 else None
    _compare_fields(rows)
    add_amplifier_noise(rows, references.history, references.night_frames, references.history_frames)
    add_zero_point_offsets(rows, references.history, references.night_frames, references.history_frames)
    add_shape_excess(rows, references.night_frames)
    add_moonlit(rows)
    add_clock_steps(rows)
    add_drifts(rows)
    add_dimming(rows)
    add_pointing_drifts(rows)
    excuse_dithers(rows)


def _compute_worth(row: Mapping[str, Any], references: References) -> float | None:
    """Return the effective time, percent: by the depth, or as predicted in a field without faint sources."""
    for metric in ("depth", "depth_predicted"):
        deep, depth = references.find(metric, row), row.get(metric)
        if deep and depth is not None:
            return 100.0 * float(10 ** (0.8 * (depth - max(ref.best for ref in deep))))
    return None


def _add_speeds(row: dict[str, Any], references: References) -> None:
    """Add the parts of the speed that seeing, sky and transparency leave, percent."""
    for name, metric, power in (("speed_seeing", "seeing", 2.0), ("speed_sky", "sky_rate", 1.0)):
        known, value = references.find(metric, row, low_is_best=True), row.get(metric)
        best = min((ref.best for ref in known if ref.best > 0), default=None)
        row[name] = None if best is None or not value or value < 0 else 100.0 * min((best / value) ** power, 1.0)
    clear = row.get("transparency")
    row["speed_transparency"] = None if clear is None else 100.0 * min(clear, 1.0) ** 2


def _compare_sky(row: dict[str, Any], dark: list[Reference]) -> None:
    """Compare the sky with that of the darkest frames, Moon and twilight taken into account."""
    row["sky_brighter"] = row["sky_excess"] = None
    rate = row.get("sky_rate")
    if not dark or rate is None or rate <= 0:
        return
    # in counts: by the zero point of a cloudy frame the same light would be a brighter sky
    row["sky_brighter"] = max(ref.median for ref in dark) + 2.5 * math.log10(rate)
    sun = row.get("sun_altitude")
    if sun is not None and sun > _TWILIGHT:
        return  # twilight has no simple expectation, and is named as such
    if 0.0 < (row.get("moon_altitude") or 0.0) < _LOW_MOON and (row.get("moon_phase") or 0.0) > _LIT_MOON:
        return
    row["sky_excess"] = row["sky_brighter"] - (row.get("moon_expected") or 0.0)


def _prepare(row: dict[str, Any], extinction: float) -> None:
    zero, airmass = row.get("zero_point_rate"), row.get("airmass")
    row["zp_clear"] = None if zero is None else zero + extinction * ((airmass or 1.0) - 1.0)
    rate = row.get("sky_rate")
    row["sky_dark"] = None
    if rate is not None and rate > 0:
        row["sky_dark"] = (row.get("moon_expected") or 0.0) - 2.5 * math.log10(rate)


def _compare_fields(rows: Sequence[dict[str, Any]]) -> None:
    """Compare numbers of stars, and how sources crowd, between frames of one field, filter and exposure time."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row, pointing in zip(rows, number_fields(rows).tolist(), strict=True):
        groups[(*group_of(row), row.get("detector_name"), row.get("exposure_time"), pointing)].append(row)
    for group in groups.values():
        stars, crowds = (known_values(group, name) for name in ("n_stars", "source_anomaly"))
        even = [row for row in group if _has_usual_sky(row)]
        usual_of = {
            name: summarize(values, "", False)
            for name in _OF_EVENNESS
            if len(values := known_values(even, name)) >= _FIELD_FRAMES
        }
        usual = float(np.median(stars)) if len(stars) >= _FIELD_FRAMES else 0.0
        crowd = float(np.median(crowds)) if len(crowds) >= _FIELD_FRAMES else None
        solved = len(known_values(group, "astrom_matched"))
        for row in group:
            row["n_solved_alike"] = solved
            number, crowded = row.get("n_stars"), row.get("source_anomaly")
            row["stars_ratio"] = number / usual if usual > 0 and number is not None else None
            row["source_excess"] = crowded - crowd if crowd is not None and crowded is not None else None
            for metric, name in _OF_EVENNESS.items():
                row[name] = row[f"{name}_error"] = None
                if metric in usual_of and row.get(metric) is not None and _has_usual_sky(row):
                    # of a spot, which has a sign, by how much it moved away from the usual one
                    distance = row[metric] - usual_of[metric].median
                    row[name] = abs(distance) if metric == "sky_spot" else distance
                    row[f"{name}_error"] = usual_of[metric].scatter


def _has_usual_sky(row: Mapping[str, Any]) -> bool:
    brighter = row.get("sky_brighter")
    return brighter is not None and abs(brighter) < BRIGHTER
