"""`obs lsst-command`: old command lines of the LSST stack."""

import click

from obs.cli.commands.calls import calls

__all__ = ["lsst_command"]

_EXAMPLE = """\b
Examples:
  obs lsst-command processCcd.py DATA --rerun first --id visit=903334 ccd=23
  obs lsst-command ingestImages.py DATA raw/*.fits --mode=link
  obs lsst-command pipetask run -b DATA -o u/me/first -p DRP.yaml#processCcd -d "visit=903334 AND detector=23"
  obs lsst-command --dry-run constructBias.py DATA --rerun calib --id dataType=BIAS --cores 2
"""


@click.command(
    "lsst-command",
    epilog=_EXAMPLE,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-n", "--dry-run", is_flag=True, help="Print the new command line, and do not run it.")
@click.argument("words", metavar="PROGRAM.py ARGUMENTS...", nargs=-1, required=True, type=click.UNPROCESSED)
@calls("obs.cli.lsst_command:lsst_command")
def lsst_command() -> None:
    """Run a command line of the LSST stack with obs.

    Command lines of the second generation are understood, and of the third those of pipetask and butler.

    The line as obs spells it is printed, so that it can be typed next time. What has no effect here is said. Programs:
    processCcd.py, processCcdSdss.py, processFile.py, singleFrameDriver.py, hscProcessCcd.py, reduceFrames.py,
    ingestImages.py, hscIngestImages.py, ingestCalibs.py, ingestCuratedCalibs.py, ingestReferenceCatalog.py,
    constructBias.py to constructSky.py, reduceBias.py to reduceFringe.py, makeSkyMap.py, makeDiscreteSkyMap.py,
    mosaic.py, jointcal.py, coaddDriver.py, assembleCoadd.py, stack.py, multiBandDriver.py, multiBand.py,
    forcedPhotCcd.py, imageDifference.py, pipetask run, pipetask qgraph, butler. Of the steps in between, the command
    that does all of them is printed.
    """
