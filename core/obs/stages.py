"""Characterization and calibration of one exposure, with what each step finds and writes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from obs.algorithms.astrometry.match import Matches
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.known_psf import KnownPsf
from obs.process_summary import ProcessSummary
from obs.repo.good_psfs import PsfAwaitedError, read_nearest_psf, remove_good_psf, write_good_psf
from obs.step_log import log_step
from obs.tasks.calibrate import CalibrateConfig, Calibrated, calibrate
from obs.tasks.characterize import CharacterizeConfig, Characterized, characterize
from obs.tasks.reference import field_circle
from obs.tasks.retarget import check_result, find_step
from obs.tasks.uneven_sky import warn_of_uneven_sky
from obs.threads import map_threads
from obs.version import __version__

__all__ = ["Stages", "match_catalogs"]


class Stages:
    """Characterization and calibration of one exposure, with their outputs.

    Parameters
    ----------
    put : callable
        Called with an object and a dataset type, writes it; by several threads at the same time.
    summary : ProcessSummary
        Filled in on the way.
    exposure_id, exposure_id_bits : int
        Number of the exposure.
    name : str, optional
        Data ID or file name of the exposure.
    good_psfs : sequence of Path, optional
        Outputs with the PSFs of good exposures; the first gets that of this one if it is good. None: neither is done.
    may_wait : bool, optional
        Raise `PsfAwaitedError` where the PSF of another exposure is needed.
    """

    def __init__(
        self,
        put: Callable[[object, str], None],
        summary: ProcessSummary,
        *,
        exposure_id: int,
        exposure_id_bits: int,
        name: str = "",
        good_psfs: Sequence[Path] = (),
        may_wait: bool = False,
    ) -> None:
        self.put, self.summary, self.name, self.good_psfs, self.may_wait = put, summary, name, good_psfs, may_wait
        self.numbers = {"exposure_id": exposure_id, "exposure_id_bits": exposure_id_bits}

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time of a step to the summary.

        Parameters
        ----------
        step : str
            Name of the step. Times of several calls are added, in seconds.
        """
        log_step(step)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.summary.seconds[step] = self.summary.seconds.get(step, 0.0) + time.perf_counter() - start

    def characterize(self, exposure: Exposure, config: CharacterizeConfig) -> Characterized:
        """Run `characterize` and write ``icSrc``, ``icExpBackground``, and ``icExp`` if asked for.

        Parameters
        ----------
        exposure : Exposure
            Exposure without instrument signature; changed in place.
        config : CharacterizeConfig
            Settings.

        Raises
        ------
        ConfigError
            If the user's own step returns something else.
        """
        with self.timed("characterize"):
            if self.good_psfs:
                remove_good_psf(self.good_psfs[0], exposure, self.name)
            find_psf = partial(self._find_psf, exposure)
            step = find_step(config.target, characterize, "characterize.target")
            found: Characterized = step(exposure, config, **self.numbers, find_psf=find_psf)
            check_result(found, Characterized, "characterize.target", config.target)
        self.summary.fwhm = found.fwhm
        self._set_seeing(exposure)
        self.summary.psf_sigma = found.sigma
        self.summary.n_psf_star = found.n_psf_star
        self.summary.n_cosmic_ray_pixel = found.n_cosmic_ray_pixel
        self.summary.psf_size_residual, self.summary.psf_origin = found.psf_size_residual, found.psf_origin
        self.summary.psf_exposure = found.psf_exposure
        self.summary.noise_ratio = found.sky.noise.ratio
        self.summary.n_streak, self.summary.streak_fraction = found.sky.n_streak, found.sky.streak_fraction
        self.summary.warnings.extend([*found.sky.warnings, *found.warnings])
        exposure.metadata.update(PSFFWHM=found.fwhm, PSFORIG=found.psf_origin)
        with self.timed("write"):
            self.put(found.catalog, "icSrc")
            self.put(found.backgrounds, "icExpBackground")
            if config.write_exposure:
                self.put(exposure, "icExp")
            if found.psf_trusted and self.good_psfs:
                write_good_psf(self.good_psfs[0], exposure, self.name)
        return found

    def _find_psf(self, exposure: Exposure) -> KnownPsf | None:
        if self.may_wait:
            raise PsfAwaitedError
        return read_nearest_psf(self.good_psfs, exposure)

    def calibrate(
        self,
        found: Characterized,
        config: CalibrateConfig,
        *,
        band: str,
        load_reference: Callable[[float, float, float], Catalog | None],
    ) -> Calibrated:
        """Run `calibrate`; `write` writes what it returns.

        Parameters
        ----------
        found : Characterized
            Result of `characterize`.
        config : CalibrateConfig
            Settings.
        band : str
            Band of the exposure.
        load_reference : callable
            Function of right ascension, declination and radius, all in degrees, that returns reference sources,
            or None.
        """
        exposure = found.exposure
        reference = None
        with self.timed("reference"):
            if exposure.wcs is not None and (config.astrometry.enabled or config.photometry.enabled):
                ra, dec, radius = field_circle(exposure.wcs, exposure.shape, config.reference.margin)
                reference = load_reference(ra, dec, radius / 3600.0)
        with self.timed("calibrate"):
            step = find_step(config.target, calibrate, "calibrate.target")
            done: Calibrated = step(
                exposure,
                found.backgrounds,
                found.catalog,
                found.corrections,
                reference,
                band,
                config,
                exposure_id=self.numbers["exposure_id"],
                exposure_id_bits=self.numbers["exposure_id_bits"],
                find_reference=load_reference,
                psf_origin=found.psf_origin,
            )
        check_result(done, Calibrated, "calibrate.target", config.target)
        # the pixel scale may be known only now, or may have been wrong
        self._set_seeing(done.exposure)
        summary = self.summary
        summary.n_source, summary.n_reference = len(done.catalog), len(done.matches)
        summary.zero_point, summary.zero_point_rms = done.zero_point.zero_point, done.zero_point.rms
        summary.n_zero_point, summary.astrometric_scatter = done.zero_point.n_star, done.astrometric_scatter
        summary.add_astrometry(done.astrometry)
        summary.background_residual = done.background_residual
        summary.warnings.extend(done.warnings)
        if not np.isfinite(done.zero_point.zero_point):
            summary.warnings.extend(warn_of_uneven_sky(found.sky.shape))
        return done

    def _set_seeing(self, exposure: Exposure) -> None:
        """Set the seeing by the width of the PSF and the pixel scale; NaN where the latter is not known."""
        scale = exposure.wcs.pixel_scale if exposure.wcs is not None else float("nan")
        self.summary.seeing = self.summary.fwhm * scale
        exposure.metadata["SEEING"] = self.summary.seeing

    def write(self, done: Calibrated, config: CalibrateConfig, band: str) -> None:
        """Write ``calexp``, ``calexpBackground``, ``src`` and the matches, if asked for.

        Parameters
        ----------
        done : Calibrated
            Result of `calibrate`.
        config : CalibrateConfig
            Settings.
        band : str
            Band of the exposure.
        """
        if not config.write:
            return
        with self.timed("write"):
            done.exposure.metadata["OBSVERS"] = __version__
            results = [(done.exposure, "calexp"), (done.backgrounds, "calexpBackground"), (done.catalog, "src")]
            if config.parquet:
                results.append((done.catalog, "sourceTable"))
            if config.write_matches and len(done.reference):
                packed, full = match_catalogs(done.catalog, done.reference, done.matches)
                if done.exposure.wcs is not None:
                    ra, dec, radius = field_circle(done.exposure.wcs, done.exposure.shape, config.reference.margin)
                    packed.metadata.update(RA=ra, DEC=dec, RADIUS=radius / 3600.0, FILTER=band)
                results += [(packed, "srcMatch"), (full, "srcMatchFull")]
            map_threads(lambda result: self.put(*result), results)


def match_catalogs(catalog: Catalog, reference: Catalog, matches: Matches) -> tuple[Catalog, Catalog]:
    """Return matches as pairs of ids, and as rows of both catalogs side by side.

    Parameters
    ----------
    catalog, reference : Catalog
        Sources and reference sources.
    matches : Matches
        Rows of both that belong together, separation in arcsec.

    Returns
    -------
    packed, full : Catalog
        Contents of ``srcMatch`` and of ``srcMatchFull``.
    """
    packed, full = Catalog(), Catalog()
    ids = reference["id"] if "id" in reference else np.arange(len(reference))
    packed.add("first", ids[matches.second], "", "id of the reference source")
    packed.add("second", catalog["id"][matches.first], "", "id of the source")
    packed.add("distance", matches.separation, "arcsec", "separation")
    for prefix, table, rows in (("ref_", reference, matches.second), ("src_", catalog, matches.first)):
        for name, column in table.columns.items():
            full.add(prefix + name, column.data[rows], column.unit, column.description)
    full.add("distance", matches.separation, "arcsec", "separation")
    return packed, full
