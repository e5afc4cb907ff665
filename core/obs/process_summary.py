"""Facts about one detector image that its processing found, for tables of a run and for its metadata."""

from dataclasses import dataclass, field
from typing import Any

from obs.tasks.astrometry import AstrometrySolution
from obs.version import __version__

__all__ = ["ProcessSummary"]


@dataclass(kw_only=True)
class ProcessSummary:
    """Summary of one processed detector.

    Parameters
    ----------
    seeing : float
        Full width at half maximum of the PSF, arcsec; NaN where there is no WCS.
    fwhm : float
        The same in pixels.
    psf_sigma : float
        Size of the PSF from its adaptive moments, pixels.
    zero_point : float
        Magnitude of one count in this exposure.
    zero_point_rms : float
        Its scatter over the stars, mag.
    n_zero_point : int
        Number of those stars.
    astrometric_scatter : float
        Scatter of matched positions per axis, arcsec.
    n_source, n_reference : int
        Sources measured, and those of them that are in the reference catalog.
    n_cosmic_ray_pixel : int
        Pixels that cosmic rays hit.
    n_psf_star : int
        Stars that the PSF was fitted to; 0 if it came with the exposure.
    psf_origin : str
        Where the PSF comes from, the best first: ``given``, ``stars``, ``few stars``, ``nearest good exposure``,
        ``gaussian``, ``assumed``.
    psf_exposure : str
        The other exposure that the PSF comes from; empty if it is of this one.
    psf_size_residual : float
        Relative error of the PSF's size on stars kept out of the fit.
    noise_ratio : float
        Noise of the sky over the noise that the variance plane predicted.
    background_residual : float
        What the background leaves in cells beside the sources, beyond their errors, in noise of a pixel (rms).
    n_streak : int
        Trails of satellites and aircraft.
    streak_fraction : float
        Fraction of the pixels in those trails.
    wcs_offset : float
        Distance on the sky, arcsec, between the middle of the detector in the fitted WCS and in the one that the
        exposure came with.
    wcs_rotation : float
        Rotation of the fitted WCS against that one, north through east, degrees.
    wcs_scale : float
        Its pixel scale over that of the other.
    wcs_mirrored : bool
        Whether it is mirrored against the other.
    wcs_matched : float
        Fraction of the sources, or of the reference sources on the frame if these are fewer, that match.
    wcs_covered : float
        Fraction of the sources where the match holds.
    wcs_log_odds : float
        Natural logarithm of the odds that the match is not chance.
    seconds : dict of str to float
        Time of each step.
    warnings : list of str
        What the user should know.
    notes : list of str
        What was read, and how.

    Examples
    --------
    >>> from obs import process
    >>> summary = process("DATA", "visit=21", rerun="first", config={"calibrate.parquet": True})[0].result
    >>> 1.0 < summary.seeing < 2.0
    True
    """

    seeing: float = float("nan")
    fwhm: float = float("nan")
    psf_sigma: float = float("nan")
    zero_point: float = float("nan")
    zero_point_rms: float = float("nan")
    n_zero_point: int = 0
    astrometric_scatter: float = float("nan")
    n_source: int = 0
    n_reference: int = 0
    n_cosmic_ray_pixel: int = 0
    n_psf_star: int = 0
    psf_origin: str = ""
    psf_exposure: str = ""
    psf_size_residual: float = float("nan")
    noise_ratio: float = float("nan")
    background_residual: float = float("nan")
    n_streak: int = 0
    streak_fraction: float = 0.0
    wcs_offset: float = float("nan")
    wcs_rotation: float = float("nan")
    wcs_scale: float = float("nan")
    wcs_mirrored: bool = False
    wcs_matched: float = float("nan")
    wcs_covered: float = float("nan")
    wcs_log_odds: float = float("nan")
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_astrometry(self, solution: AstrometrySolution | None) -> None:
        """Note what the fit of the WCS found."""
        if solution is None or solution.fit is None:
            return
        self.wcs_matched, self.wcs_covered = solution.fit.coverage.matched, solution.fit.coverage.covered
        self.wcs_log_odds = solution.fit.log_odds
        if solution.change is not None:
            self.wcs_offset, self.wcs_rotation = solution.change.offset, solution.change.rotation
            self.wcs_scale, self.wcs_mirrored = solution.change.scale, solution.change.mirrored

    def to_metadata(self) -> dict[str, Any]:
        """Return the facts as they are written to ``processCcd_metadata``."""
        facts = {name: value for name, value in vars(self).items() if name not in ("seconds", "warnings", "notes")}
        seconds = {name: round(value, 4) for name, value in self.seconds.items()}
        ends: dict[str, Any] = {"seconds": seconds, "warnings": list(self.warnings), "version": __version__}
        if self.notes:
            ends["notes"] = list(self.notes)
        return {"status": "done", **facts, **ends}
