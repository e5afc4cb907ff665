"""What `obs demo --coadd` adds: one deep image of the field, its catalog, and the light curve of a star."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from obs.cli.main import main
from obs.cli.table import format_table
from obs.frozen import frozen
from obs.instrument.instrument import Instrument
from obs.policy.data_id import format_data_id
from obs.qa.coadd_figures import LightCurveTruth, draw_coadd_report
from obs.qa.coadd_report import SimulatedExposure, VariableStar, find_variable, report_coadds
from obs.qa.report import REPORT_HEADERS, REPORT_SIDES, FrameReport, report_rows
from obs.repo.butler import Butler
from obs.repo.fits_catalog import read_catalog
from obs.simulator.settings import simulator_settings

__all__ = ["COADD_VISITS", "CoaddDemo", "changing_sky"]

#: Science exposures of the demonstration.
COADD_VISITS = 4
#: Seeing of the best and of the worst exposure, as multiples of the median of the camera's site.
_SEEING = 0.85, 1.4
_LEGEND = """\
The last rows are the coadds: compare their depth and scatter with those of the exposures above. depth: magnitude of a
point source at five times its error; off, scatter: measured minus true magnitudes of bright isolated stars that do not
vary; RA, Dec: scatter of their positions; found: share of the isolated stars above ten times their error"""


def changing_sky(instrument: Instrument) -> list[str]:
    """Return settings of `obs simulate` that make exposures differ as those of real nights do.

    Seeing and transparency change, stars vary within minutes, a transient may appear, and every third exposure has the
    trail of a satellite.

    Parameters
    ----------
    instrument : Instrument
        The camera, whose site has a median seeing.
    """
    median = simulator_settings(instrument).build().optics.seeing
    return [
        f"optics.seeing_range=[{_SEEING[0] * median:.2f},{_SEEING[1] * median:.2f}]",
        "sky.lowest_transparency=0.7",
        "changes.variable_fraction=0.1",
        "changes.variable_period=[0.004,0.012]",
        "satellites.count=1",
        "satellites.every=3",
        "satellites.peak=300",
    ]


@frozen
class CoaddDemo:
    """The part of the demonstration that follows `obs process`.

    Parameters
    ----------
    result : Path
        Output of `obs process`.
    folder : Path
        Where pictures are written.
    exposures : sequence of SimulatedExposure
        The science exposures and their truth.
    physical_filter : str
        Their filter.
    processes : int
        Number of processes.
    doraise : bool
        Whether commands stop at the first failure.
    """

    result: Path
    folder: Path
    exposures: Sequence[SimulatedExposure]
    physical_filter: str
    processes: int
    doraise: bool

    def commands(self) -> Iterator[list[str]]:
        """Give the words of one command after the other."""
        result = str(self.result)
        parallel = ["-j", str(self.processes), *(["--doraise"] if self.doraise else [])]
        yield ["skymap", "make", result, "--discrete"]
        yield ["skymap", "show", result, "--output", str(self.folder / "tracts.png")]
        yield ["calibrate-visits", result]
        yield ["coadd", result, *parallel]
        yield ["coadd-catalog", result, *parallel]

    def show(self, reports: Sequence[FrameReport]) -> int:
        """Measure a light curve, compare coadds and light curve with the truth, and say what to type next.

        Parameters
        ----------
        reports : sequence of FrameReport
            The single exposures beside their truth.

        Returns
        -------
        int
            Exit status.
        """
        butler = Butler(self.result)
        star = find_variable(butler, self.exposures)
        light_curve = None
        if star is not None:
            plot, table = self.folder / "lightcurve.png", self.folder / "lightcurve.fits"
            words = ["lightcurve", str(self.result), "--object", f"{star.ra:.6f},{star.dec:.6f}", "--plot", str(plot)]
            if run_shown([*words, "--output", str(table), "--format", "fits"]):
                return 1
            light_curve = LightCurveTruth(read_catalog(table), star)
        coadds = report_coadds(butler, self.exposures)
        click.echo()
        click.echo(format_table(REPORT_HEADERS, report_rows([*reports, *coadds]), right=REPORT_SIDES))
        click.echo(_LEGEND)
        if light_curve is not None:
            _print_curve(light_curve)
        picture = self.folder / "coadd.png"
        draw_coadd_report(butler, reports, coadds, light_curve, picture)
        click.echo(f"\npictures: {picture}, {self.folder / 'tracts.png'}\nWhat you can type next:")
        for words in self._next(coadds[0].data_id, star):
            click.echo(f"  obs {shlex.join(words)}")
        return 0

    def _next(self, coadd: Mapping[str, Any], star: VariableStar | None) -> Iterator[list[str]]:
        result = str(self.result)
        words = format_data_id(dict(coadd)).split()
        yield ["display", result, "deepCoadd", "--id", *words, "-o", str(self.folder / "deep.png")]
        yield ["difference", result, "--id", *format_data_id(dict(self.exposures[0].data_id)).split()]
        yield ["forced", result, "-j", str(self.processes)]
        if star is not None:
            place, file = f"{star.ra:.6f},{star.dec:.6f}", str(self.folder / "star.txt")
            yield ["where", result, place]
            send = ["--format", "aavso", "--observer", "CODE", "--star", "NAME"]
            yield ["lightcurve", result, "--object", place, "--output", file, *send]


def _print_curve(light_curve: LightCurveTruth) -> None:
    curve, star = light_curve.curve, light_curve.star
    columns = curve["mjd_mid"], curve["magnitude"], curve["magnitude_error"], star.true_magnitudes(curve)
    rows = [
        (f"{time:.5f}", f"{value:.4f}", f"{error:.4f}", f"{true:.4f}")
        for time, value, error, true in zip(*columns, strict=True)
    ]
    click.echo(f"\nvariable star at {star.ra:.6f}, {star.dec:.6f}, period {1440 * star.period:.1f} minutes")
    click.echo(format_table(("MJD", "magnitude", "error", "true"), rows, right="rrrr"))


def run_shown(words: list[str]) -> int:
    """Print a command, run it, and return its exit status."""
    click.secho(f"$ obs {shlex.join(words)}", bold=True)
    return main(words)
