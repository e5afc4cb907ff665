"""The quality metrics with units, definitions and gates, from the code and the file of gates."""

from collections.abc import Mapping

from generator.markdown import code, escape, table
from obs.metrics.definitions import CONTEXT, MASTER_METRICS, METRICS, Metric
from obs.metrics.derive import DERIVED
from obs.metrics.gates import Gate, load_gates
from obs.metrics.remedies import SINGLE_REMEDIES

__all__ = ["WITHOUT_GATE", "metric_page"]

#: Why a metric has no gate of its own.
WITHOUT_GATE = {
    "seeing_zenith": "`seeing` is judged; this one takes the airmass out, for comparison with other nights",
    "psf_range": "`psf_gradient` is judged, which one odd place of the model does not decide",
    "star_angle": "a direction; said with `star_e_coherent`",
    "psf_dip": "tells a jump from a trail, where `star_e_coherent` fails",
    "psf_size_scatter": "error of `psf_size_residual`",
    "psf_e_scatter": "error of `psf_e1_residual` and `psf_e2_residual`",
    "n_psf_reserved": "error of `psf_size_residual`",
    "n_psf_offered": "`n_psf_stars` is judged",
    "sky": "judged against Moon and twilight, as `sky_excess` and `moonlit`: a bright sky is no fault by itself",
    "sky_rate": "see `sky`; compared with the night as `sky_deficit`",
    "sky_level": "see `sky`; `saturated` says when it is too high",
    "sky_noise": "compared with the expectation as `noise_ratio`",
    "sky_spot": "compared with other frames of the field, as `spot_excess`",
    "background_residual": "warned of in the log; galaxies and nebulae have it, too",
    "depth_predicted": "compared with the measured depth as `depth_difference`",
    "zero_point": "compared with the night as `transparency`",
    "zero_point_rate": "compared with the night as `transparency`",
    "zp_error": "an error; `zp_n_stars` is judged",
    "pointing_error": "judged as `pointing_share`, because mounts of wide fields are less exact",
    "rotation_error": "the camera package may not know the angle; the solution does",
    "n_sources": "depends on field and depth; `stars_expected` is judged",
    "n_stars": "compared with other frames as `stars_ratio`",
    "n_reference": "judged as `astrom_matched`",
    "source_anomaly": "compared with other frames as `source_excess`: a cluster is no fault",
    "cosmic_rays_single": "tells hot pixels from cosmic rays, where `cosmic_rays` fails",
    "n_streaks": "`streaks` is judged: a thin trail costs little",
    "amp_noise_low": "names the amplifier of `amp_dead`",
    "n_warnings": "their texts are listed",
    "seconds": "of the computer",
    "peak_memory": "of the computer",
    "moon_expected": "what `sky_excess` is held against",
    "sky_brighter": "judged as `sky_excess` once Moon and twilight are known",
    "seeing_ratio": "`seeing` is judged",
    "profile_ratio": "tells focus from seeing, where `seeing` fails",
    "effective": "what the rest of the gates cost; `depth` is judged",
    "speed_seeing": "part of `effective`",
    "speed_sky": "part of `effective`",
    "speed_transparency": "part of `effective`",
    "n_solved_alike": "tells a wrong field from a catalog that does not fit",
    "dew": "tells dew from cloud, where `transparency` or `seeing` fails",
    "pointing_drift": "said with `pointing_share`",
    "dither": "taken off `pointing_share`",
    "n_dropped": "`n_used` is judged",
    "level": "depends on lamp and exposure time",
    "clipped": "`noise_expected` is judged",
}
#: Limit that no value reaches: the metric alone makes no frame bad.
_NEVER = 1000.0
_INTRODUCTION = """\
# Quality metrics

All metrics of `obs report` and `obs query`: unit, definition, how each is measured, and its gate. The limits are those
of the file `gates.yaml` that comes with `obs`; a camera can have its own. What to do stands behind the limits, where a
metric fails alone. [Metrics and gates](../how_it_works/metrics.md) shows the method, and
[Judge a run](../judge_a_run.md) the words of the verdicts that follow from several metrics.
"""


def metric_page() -> str:
    """Return the page of the metrics."""
    gates = load_gates().gates
    parts = [
        _INTRODUCTION,
        "## Of an exposure\n",
        "Measured while the detector image is processed.\n",
        _table(METRICS, gates),
        "## Against other exposures\n",
        "They follow from the frames of the night, and from other nights of the camera.\n",
        _table(DERIVED, gates),
        "## Of a calibration frame\n",
        "Measured while `obs calibs build` makes it.\n",
        _table(MASTER_METRICS, gates),
        "## Circumstances\n",
        "They explain the rest, and are not judged. Frames that are done of those expected are counted at the end of "
        "each answer of `obs query`.\n",
        table(
            ("name", "unit", "what it is"),
            (
                (code(name), escape(m.unit), escape(f"{m.definition} From: {m.estimator}."))
                for name, m in CONTEXT.items()
            ),
        ),
    ]
    return "\n".join(parts)


def _table(metrics: Mapping[str, Metric], gates: Mapping[str, Gate]) -> str:
    rows = []
    for name, metric in metrics.items():
        what = f"{metric.definition} Measured: {metric.estimator}."
        rows.append((code(name), escape(metric.unit), escape(what), _gate(name, gates.get(name))))
    return table(("name", "unit", "what it is, and how it is measured", "look from, bad from"), rows)


def _gate(name: str, gate: Gate | None) -> str:
    """Return limits in words, with what to do where the gate fails alone; or why there are none."""
    if gate is None:
        reason = WITHOUT_GATE[name] if name in WITHOUT_GATE else f"error of `{name.removesuffix('_error')}`"
        return f"none: {escape(reason)}"
    how = {
        "above": "above {}",
        "below": "below {}",
        "away": f"more than {{}} from {gate.center:g}",
        "ratio_above": "above {} times the usual",
        "ratio_below": "below {} times the usual",
        "difference_above": "more than {} above the usual",
        "difference_below": "more than {} below the usual",
        "difference_away": "more than {} off the usual",
        "fraction_of_seeing": "above {} of the seeing",
        "sigma": "more than {} sigma off the usual",
    }[gate.compare]
    words = how.format(f"{gate.look:g}" if gate.bad >= _NEVER else f"{gate.look:g}, {gate.bad:g}")
    if gate.least_fwhm:
        words += f", from a FWHM of {gate.least_fwhm:g} pixels on"
    if gate.per_degree:
        words += f", and {gate.per_degree:g} more for each degree of the field"
    if gate.of_camera:
        words += ", unless it is usual for the camera"
    remedy = SINGLE_REMEDIES.get(name)
    return escape(words + (f": {remedy}" if remedy else ""))
