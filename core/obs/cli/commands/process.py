"""`obs process`: from the data IDs of a repository to calibrated images and catalogs."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, run_options

__all__ = ["process"]

_EXAMPLE = """\b
Examples:
  obs process DATA --id run=4192 camcol=4 field=300 filter=g^r --output out
  obs process DATA --rerun test --id visit=903334 ccd=0..9 -c isr.do_flat=False -j 4
  obs process DATA --rerun test --id filter=r --skip-existing --dry-run
  obs process DATA --show config='*psf*'
"""


@click.command("process", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option(
    "--calib",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the calibration frames, here or in the repository, if it is not CALIB of the repository.",
)
@id_option
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository to write into.")
@click.option("--rerun", metavar="[IN:]OUT", help="Write into INPUT/rerun/OUT, and read from INPUT/rerun/IN.")
@config_options
@click.option(
    "--show",
    expose_value=False,
    multiple=True,
    metavar="WHAT...",
    help="Show data[=lsst], config[=PATTERN], history=PATTERN or tasks and stop, unless 'run' is there too.",
)
@run_options
@click.option("--shard", metavar="N/COUNT", help="Share of the data IDs to process, such as 3/20, for job arrays.")
@click.option("--allow-missing", is_flag=True, help="Continue without a calibration that is missing, with a warning.")
@click.option(
    "--skip-existing", is_flag=True, help="Keep results made with the same settings, inputs and calibrations."
)
@click.option(
    "--reuse-outputs-from",
    type=click.Choice(["calibrate", "all"]),
    help="LSST's spelling of --skip-existing.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be processed and why, and stop.")
@click.option("--clobber-output", is_flag=True, help="Remove the output repository first.")
@click.option("--no-backup-config", is_flag=True, help="With --clobber-config: do not keep a copy of the old settings.")
@click.option(
    "--clobber-versions", is_flag=True, help="Continue with other versions of the software without a warning."
)
@click.option("--no-versions", is_flag=True, help="Neither record nor compare versions of the software.")
@click.option("--report", is_flag=True, help="Write the report when the run has ended; see obs report.")
@click.option("--clobber-config", is_flag=True, help="Continue in an output that was made with other settings.")
@calls("obs.cli.process:process")
def process() -> None:
    """Turn raw files into calibrated images and catalogs.

    INPUT is a folder made by obs or by the second-generation LSST stack; it is only read. Frames of the sky are
    processed, other types if --id names them. Every data ID goes through instrument-signature removal, characterization
    and calibration. One that fails does not stop the others. @FILE stands for the words in a file. Relative paths start
    at the folders that PIPE_INPUT_ROOT, PIPE_CALIB_ROOT and PIPE_OUTPUT_ROOT name, where these environment variables
    are set.

    With --skip-existing, a run that was stopped goes on where it was: results stay if they were made with the same
    settings, software, raw file, calibrations and reference catalog. Others are named as STALE, and made again.
    """
