"""`obs report`: one page on which a night is judged."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["report"]

_EXAMPLE = """\b
Examples:
  obs report DATA --rerun first
  obs report out --night 2026-11-28 --output monday.html
  obs report DATA --rerun new --compare old
  obs report DATA --rerun first --verdicts verdicts.json
"""


@click.command("report", epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.option("--rerun", metavar="NAME", help="Name of the rerun to report on.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--night", metavar="DATE", help="Only the night that began on this date, such as 2026-11-28.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Page to write; the default is report.html in the output.",
)
@click.option(
    "--gates",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML file with limits of the metrics.",
)
@click.option(
    "--verdicts",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Your own verdicts, as the page saves them (JSON); they are kept.",
)
@click.option("--compare", metavar="NAME", help="Compare with this other rerun, or output folder.")
@click.option("--watch", is_flag=True, help="Renew the page whenever results change, until Ctrl-C.")
@click.option(
    "--pictures",
    type=click.IntRange(min=0),
    default=60,
    show_default=True,
    help="Largest number of exposures with pictures.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.night_report:report")
def report() -> None:
    """Write one page on which a night is judged.

    It shows the exposures of the repository REPO.

    The page needs no network and no server: open it in a browser, or send it by mail. It says how many frames are good,
    which are not and why, and shows metrics, pictures and plots of each. Beside it are a text of a kilobyte and a line
    of JSON. It can be written while frames are being processed, and after failures. Verdicts that you give on the page
    and save count instead of those of the gates from --verdicts on: in later reports, and as own_verdict in obs query
    and in obs coadd --select.
    """
