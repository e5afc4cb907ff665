"""`obs query`: quality metrics of the frames that fulfill a condition."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["query"]

_EXAMPLE = """\b
Examples:
  obs query out "seeing < 0.9 and filter = 'HSC-I'"
  obs query DATA --rerun first "zero_point is not measured" --columns data_id,seeing
  obs query out "verdict != 'good'" --columns data_id,verdict,reason
  obs query out "depth > 24 or object in ('M31', 'M33')" --format csv
  obs query out --format parquet > metrics.parquet
  obs query out --list
"""


@click.command("query", epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("condition", default="")
@click.option("--rerun", metavar="NAME", help="Name of the rerun to ask.")
@click.option(
    "--kind",
    type=click.Choice(["detector", "visit", "master"]),
    default="detector",
    show_default=True,
    help="A row for each detector image, visit or calibration frame.",
)
@click.option("--columns", metavar="NAME,...", help="Columns to print; 'all' for all.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="Form of the output; Parquet goes to a file or a pipe, with all columns.",
)
@click.option("--list", "list_names", is_flag=True, help="Print the names of metrics with units and definitions.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.query:query")
def query() -> None:
    """Print quality metrics of exposures.

    It prints those of the repository REPO for which CONDITION is true.

    A condition compares metrics with values: <, <=, >, >=, = or ==, !=, in (1, 3, 7..9), between ... and ..., like
    '...%', is measured, is not measured; combined by and, or, not and brackets. Texts need quotes. A metric that was
    not measured fulfills no comparison. The last line says how many frames are done of those expected.
    """
