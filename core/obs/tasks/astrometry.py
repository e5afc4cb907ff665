"""The place of an exposure on the sky, from a reference catalog."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.compare import WcsChange, compare_wcs
from obs.algorithms.astrometry.fit import AstrometryFit, fit_astrometry
from obs.algorithms.astrometry.locate import Located
from obs.algorithms.astrometry.match import Matches, match_sky
from obs.algorithms.pixels.statistics import robust_sigma
from obs.errors import MeasurementError
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.wcs import TanSipWcs
from obs.tasks.astrometry_config import AstrometryConfig
from obs.tasks.astrometry_failure import MORE_STARS, NO_CATALOG, SEARCH, Refused, explain_search
from obs.tasks.pointing_errors import describe_offset, describe_scale
from obs.tasks.reference import ReferenceConfig, any_reference_flux, field_circle, usable_sources
from obs.tasks.sky_search import FindReference, Searched, Sources, search_sky

__all__ = ["AstrometrySolution", "match_reference", "solve_astrometry"]

_TURNED = 1.0  # degrees from which on a rotation is worth a line
_MIRRORED = "it matched after turning it over"
_FOUND_ROTATION, _FOUND_SCALE = 10.0, 0.1  # what unknown distortion may add to what the search found, degrees and 1
_OUTSIDE = 0.05  # fraction of the sources beyond the reference catalog from which on it is worth a warning
_FLIPPED_WITHIN = 3.0  # degrees from half a turn: mounts are not exactly aligned
_FLIPPED = (
    "the frame is turned by 180 degrees, as after a meridian flip; nothing needs to be done; if every exposure is, obs "
    "camera adjust OUTPUT --write makes the match faster"
)
_SCALED = 0.01  # relative change of scale from which on it is
_MANY_SATURATED = 10  # saturated stars that leave too few of the brightest for a pattern


@dataclass
class AstrometrySolution:
    """What the fit of the WCS found.

    Parameters
    ----------
    reference : Catalog
        Reference sources about the frame, where it was found.
    change : WcsChange or None
        What was wrong with the WCS that the exposure came with; None without a fit, or without such a WCS.
    fit : AstrometryFit or None
        The fit; None where there is none.
    warnings : list of str
        Why there is no fit, or what was wrong with the WCS; empty if all is well.
    """

    reference: Catalog
    change: WcsChange | None
    fit: AstrometryFit | None
    warnings: list[str]


def solve_astrometry(
    exposure: Exposure,
    catalog: Catalog,
    reference: Catalog,
    band: str,
    config: AstrometryConfig,
    reference_config: ReferenceConfig,
    find: FindReference | None = None,
) -> AstrometrySolution:
    """Fit the WCS of an exposure to a reference catalog, if the settings ask for it.

    Parameters
    ----------
    exposure : Exposure
        Gets the new WCS; keeps its own where there is no fit.
    catalog : Catalog
        Sources; gains ``calib_astrometry_used``.
    reference : Catalog
        Reference sources about the frame; may be empty.
    band : str
        Band of the exposure.
    config : AstrometryConfig
        Settings of the fit.
    reference_config : ReferenceConfig
        Settings of the reference catalog.
    find : callable, optional
        Returns reference sources elsewhere, for the search; without it only ``reference`` is searched.

    Returns
    -------
    AstrometrySolution

    Raises
    ------
    MeasurementError
        If there is no fit and the settings require one.
    """
    if not config.enabled or config.force_known_wcs:
        return AstrometrySolution(reference, None, None, [])
    solver = _Solver(exposure, catalog, reference, band, config, reference_config, find)
    try:
        fit, notes = solver.solve()
    except MeasurementError as error:
        reason = _reason(error)
        if config.required is not False:
            without = "keep the WCS it came with" if exposure.wcs is not None else "measure without positions"
            raise MeasurementError(
                f"no astrometry: {reason}, or {without} by -c calibrate.astrometry.required=false"
            ) from error
        kept = "the exposure has no WCS" if exposure.wcs is None else "the WCS that the exposure came with is kept"
        return AstrometrySolution(reference, None, None, [f"no astrometry, {kept}: {reason}"])
    change = None if exposure.wcs is None else compare_wcs(fit.wcs, exposure.wcs, exposure.shape)
    exposure.wcs = fit.wcs
    used = np.zeros(len(catalog), bool)
    used[solver.rows[fit.matches.first[fit.used]]] = True
    catalog.add("calib_astrometry_used", used, "", "the WCS was fitted to this source")
    if change is not None and _is_flipped(change):
        near = change.offset < 0.5 * min(exposure.shape) * fit.wcs.pixel_scale
        notes = [*([] if near else notes), _FLIPPED]  # that the frame had to be searched is no news then
    else:
        notes = [*notes, *_describe_change(change)]
    return AstrometrySolution(solver.reference, change, fit, [*notes, *_describe_coverage(fit)])


def _is_flipped(change: WcsChange) -> bool:
    """Return whether a frame is upside down and nothing else, as after a meridian flip."""
    turned = abs(abs(change.rotation) - 180.0) < _FLIPPED_WITHIN
    return turned and not change.mirrored and abs(change.scale - 1.0) < _SCALED


def _describe_coverage(fit: AstrometryFit) -> list[str]:
    """Return a warning where the reference catalog ends on the frame."""
    outside = fit.coverage.outside
    if outside <= _OUTSIDE:
        return []
    return [
        f"{100 * outside:.0f} % of the sources are where the reference catalog has no stars; their positions are "
        "extrapolated and may be off by pixels; add reference sources of the whole frame"
    ]


def _reason(error: MeasurementError) -> str:
    """Return what went wrong, without the words that all such errors begin with."""
    return str(error).removeprefix("no astrometry: ")


def _describe_change(change: WcsChange | None) -> list[str]:
    """Return a line on a camera that is turned, mirrored or scaled against its description, and where to write it."""
    if change is None:
        return []
    advice = []
    if abs(change.rotation) > _TURNED:
        advice.append(f"add {change.rotation:.2f} degrees to orientation.rotation")
    if change.mirrored:
        advice.append("change orientation.flip_x to its opposite")
    if abs(change.scale - 1.0) > _SCALED:
        advice.append(f"multiply plate_scale by {change.scale:.4f}")
    if not advice:
        return []
    parity = "mirrored" if change.mirrored else "not mirrored"
    return [
        f"the stars show the frame turned by {change.rotation:.2f} degrees (north through east), {parity}, its pixel "
        f"scale {change.scale:.4f} times that of the WCS that it came with{describe_scale(change)}; if every exposure "
        f"shows this, write it into the camera's camera.yaml: {', '.join(advice)}; or let obs camera adjust OUTPUT "
        "--write do it"
    ]


def _saturated_sources(catalog: Catalog, shape: tuple[int, int]) -> Sources:
    """Return the saturated stars, whose positions are good enough for a pattern, and fluxes that order them roughly."""
    chosen = catalog["detect_isPrimary"] & ~catalog["base_SdssCentroid_flag"]
    chosen = chosen & catalog["base_PixelFlags_flag_saturated"] & ~catalog["base_PixelFlags_flag_edge"]
    x, y, flux = (
        np.asarray(catalog[name][chosen], np.float64)
        for name in ("base_SdssCentroid_x", "base_SdssCentroid_y", "base_PsfFlux_instFlux")
    )
    if "base_GaussianFlux_instFlux" in catalog:
        flux = np.fmax(flux, catalog["base_GaussianFlux_instFlux"][chosen])
    positive = flux > 0
    return Sources(x[positive], y[positive], flux[positive], shape)


class _Solver:
    """Tries what the WCS of one exposure may be, and then searches the sky.

    Parameters
    ----------
    exposure : Exposure
        Exposure with its WCS.
    catalog : Catalog
        Sources.
    reference : Catalog
        Reference sources about the frame.
    band : str
        Band of the exposure.
    config : AstrometryConfig
        Settings of the fit.
    reference_config : ReferenceConfig
        Settings of the reference catalog.
    find : callable or None
        Returns reference sources elsewhere, for the search.
    """

    def __init__(
        self,
        exposure: Exposure,
        catalog: Catalog,
        reference: Catalog,
        band: str,
        config: AstrometryConfig,
        reference_config: ReferenceConfig,
        find: FindReference | None,
    ) -> None:
        self.exposure, self.reference, self.band = exposure, reference, band
        self.config, self.reference_config, self.find = config, reference_config, find
        self.rows = np.flatnonzero(usable_sources(catalog, config.minimum_signal_to_noise))
        x, y, flux = (
            np.asarray(catalog[name][self.rows], np.float64)
            for name in ("base_SdssCentroid_x", "base_SdssCentroid_y", "base_PsfFlux_instFlux")
        )
        self.sources = Sources(x, y, flux, exposure.shape)
        self.saturated = _saturated_sources(catalog, exposure.shape)

    def _patterns(self) -> Iterator[Sources]:
        """Yield the sources whose patterns are searched: those of the fit, then with many saturated ones, if there are.

        The brightest stars of an overexposed frame are saturated, and the brightest reference stars are they.
        """
        yield self.sources
        if len(self.saturated.x) >= _MANY_SATURATED:
            parts = (self.saturated, self.sources)
            x, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y"))
            above = float(np.max(self.sources.flux, initial=0.0))
            flux = np.concatenate([above + self.saturated.flux, self.sources.flux])
            yield Sources(x, y, flux, self.exposure.shape)

    def solve(self) -> tuple[AstrometryFit, list[str]]:
        """Return the fit, and what the user should know of the WCS that the exposure came with."""
        config = self.config
        if self.find is None and not len(self.reference):
            raise MeasurementError(NO_CATALOG)
        problems: list[str] = []
        if len(self.reference):
            for guess, notes in self._guesses(mirrored=config.try_mirrored and not config.search.enabled):
                try:
                    return self._fit(guess), notes
                except MeasurementError as error:
                    problems.append(_reason(error))
        if len(self.rows) < config.minimum_stars:
            raise MeasurementError(
                f"{len(self.rows)} sources are bright and undamaged enough to be matched, {config.minimum_stars} are "
                f"needed; {MORE_STARS}"
            )
        if not config.search.enabled:
            nothing = NO_CATALOG if self.exposure.wcs is not None else "the exposure has no WCS to start from"
            raise MeasurementError(f"{problems[0]}; {SEARCH}" if problems else nothing)
        return self._search()

    def _search(self) -> tuple[AstrometryFit, list[str]]:
        """Find the frame by the patterns of its stars, and fit its WCS."""
        exposure, config = self.exposure, self.config
        guesses = [guess for guess, _ in self._guesses(mirrored=False)]
        if exposure.wcs is None:
            guesses = list(exposure.other_wcs.values())
        reference, refused = self.reference, list[Refused]()
        for sources in self._patterns():
            searched: list[Searched] = []
            found = search_sky(
                sources,
                guesses,
                exposure.wcs is not None,
                self.find or (lambda ra, dec, radius: reference),
                self._reference_flux,
                config.search,
                config.minimum_log_odds,
                searched,
            )
            for located in islice(found, config.search.maximum_fits):
                try:
                    return self._fit_located(located)
                except MeasurementError as error:
                    ra, dec, _ = field_circle(located.wcs, exposure.shape, 0.0)
                    refused.append(Refused(ra, dec, _reason(error)))
        known = guesses[0] if guesses else None
        scale = known.pixel_scale if known is not None else None
        if not any(each.n_star for each in searched):
            raise MeasurementError(f"no astrometry: {NO_CATALOG}")
        raise MeasurementError(
            f"no astrometry: {explain_search(len(self.rows), scale, searched, refused, config.search)}"
        )

    def _fit_located(self, found: Located) -> tuple[AstrometryFit, list[str]]:
        """Fit the WCS where the search found the frame."""
        exposure = self.exposure
        if self.find is not None:
            ra, dec, radius = field_circle(found.wcs, exposure.shape, self.reference_config.margin)
            near = self.find(ra, dec, radius / 3600.0)
            self.reference = near if near is not None else Catalog()
        if found.mirrored and exposure.wcs is not None:
            # the optics of a frame that is stored mirrored distort it as its mirror image says
            for guess, notes in self._guesses(mirrored=True):
                if notes and notes[-1].endswith(_MIRRORED):
                    try:
                        return self._fit(guess), notes
                    except MeasurementError:
                        continue
        fit = self._fit(found.wcs, found)
        if exposure.wcs is None:
            return fit, ["the exposure came without a WCS; it was found by the pattern of its stars"]
        change = compare_wcs(fit.wcs, exposure.wcs, exposure.shape)
        if change.offset < 0.5 * min(exposure.shape) * fit.wcs.pixel_scale and _describe_change(change):
            return fit, []  # how the camera differs says it all
        place, there = (field_circle(wcs, exposure.shape, 0.0)[:2] for wcs in (fit.wcs, exposure.wcs))
        return fit, [
            "the WCS that the exposure came with does not match; the frame was found by the pattern of its stars "
            f"{describe_offset(place, there, change.offset)} from where that WCS puts it"
        ]

    def _guesses(self, *, mirrored: bool) -> Iterator[tuple[TanSipWcs, list[str]]]:
        """Yield what the WCS may be, the likeliest first, and what to tell the user if it is that."""
        exposure, config = self.exposure, self.config
        if exposure.wcs is None:
            return
        yield exposure.wcs, []
        others = exposure.other_wcs if config.try_others else {}
        for name, wcs in others.items():
            yield wcs, [f"the WCS that the exposure came with does not match; that of {name} does"]
        if exposure.wcs.a is not None:
            plain = replace(exposure.wcs, a=None, b=None, ap=None, bp=None)
            yield plain, ["the distortion of the WCS that the exposure came with does not match; without it, it does"]
        height, width = exposure.shape
        known = {"that the exposure came with": exposure.wcs, **{f"of {name}": wcs for name, wcs in others.items()}}
        for name, wcs in known.items() if mirrored else ():
            for axis, size in enumerate((width, height)):
                yield wcs.mirrored(axis=axis, size=size), [f"the WCS {name} is mirrored; {_MIRRORED}"]

    def _reference_flux(self, reference: Catalog) -> NDArray[np.float64]:
        return any_reference_flux(reference, self.band, self.reference_config)

    def _fit(self, guess: TanSipWcs, found: Located | None = None) -> AstrometryFit:
        """Match to the reference sources and fit, starting from one guess."""
        config, sources, reference = self.config, self.sources, self.reference
        if not len(reference):
            raise MeasurementError(NO_CATALOG)
        return fit_astrometry(
            x=sources.x,
            y=sources.y,
            flux=sources.flux,
            ref_ra=reference["coord_ra"],
            ref_dec=reference["coord_dec"],
            ref_flux=self._reference_flux(reference),
            wcs=guess,
            shape=sources.shape,
            max_order=config.order,
            max_offset=config.max_offset,
            # what the search found is near; its own limits are in its settings
            max_rotation=config.maximum_rotation if found is None else max(config.maximum_rotation, _FOUND_ROTATION),
            max_scale_change=(
                config.maximum_scale_change if found is None else max(config.maximum_scale_change, _FOUND_SCALE)
            ),
            max_shear=config.maximum_shear,
            min_stars=config.minimum_stars,
            max_scatter=config.maximum_scatter,
            min_matched=config.minimum_matched,
            min_covered=config.minimum_covered,
            min_log_odds=config.minimum_log_odds,
            trials=None if found is None else found.trials,
            around=None if found is None else found.around,
            bend=0.0 if found is None else found.bend,
        )


def match_reference(
    catalog: Catalog, reference: Catalog, *, minimum_signal_to_noise: float, radius: float
) -> tuple[Matches, float]:
    """Match sources to reference sources on the sky.

    Parameters
    ----------
    catalog, reference : Catalog
        Sources with their sky coordinates, and reference sources; both may be empty.
    minimum_signal_to_noise : float
        Fainter sources are left out.
    radius : float
        Largest separation, arcsec.

    Returns
    -------
    matches : Matches
        Rows of the catalog (first) and of the reference (second).
    scatter : float
        Robust standard deviation per axis, arcsec; NaN without matches.
    """
    if not len(reference):
        none = np.zeros(0, np.int64)
        return Matches(none, none, np.zeros(0)), float("nan")
    usable = np.flatnonzero(usable_sources(catalog, minimum_signal_to_noise))
    ra, dec, ref_ra, ref_dec = (table[f"coord_{c}"] for table in (catalog, reference) for c in ("ra", "dec"))
    pairs = match_sky(ra[usable], dec[usable], ref_ra, ref_dec, radius=radius)
    rows = usable[pairs.first]
    d_ra = ((ra[rows] - ref_ra[pairs.second] + 180) % 360 - 180) * np.cos(np.radians(ref_dec[pairs.second]))
    offsets = 3600 * np.concatenate([d_ra, dec[rows] - ref_dec[pairs.second]])
    return Matches(rows, pairs.second, pairs.separation), robust_sigma(offsets)
