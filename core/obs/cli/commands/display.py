"""`obs display`: pictures of images."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import id_option

__all__ = ["display"]

_EXAMPLE = """\b
Examples:
  obs display DATA/rerun/first calexp --id visit=903334 ccd=23
  obs display DATA/rerun/first calexp --id visit=903334 ccd=23 --sources ellipses -o stars.png
  obs display DATA raw --id visit=903334 ccd=23
  obs display DATA/rerun/first calexp --id visit=903334 ccd=23 --zoom 150.1,2.2,60
  obs display DATA/rerun/first calexp --id visit=903334 ccd=23 --compare DATA/rerun/first DATA/rerun/second
  obs display DATA/rerun/first calexp --id ccd=23 filter=HSC-I^HSC-R^HSC-G --rgb -o color.png
  obs display DATA/rerun/first calexp --id visit=903334 ccd=23 --sources ellipses --ds9
  obs display IMAGE.fits -o picture.png
"""


@click.command("display", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("places", metavar="[REPO DATASET | FILE...]", nargs=-1)
@id_option
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Picture to write: .png, .jpg, .pdf, .svg or .webp; of images that blink .gif, .png or .webp.",
)
@click.option(
    "--scale",
    default="auto",
    show_default=True,
    help="zscale, minmax, or a percentage such as 99.5; auto: zscale, for PSFs minmax.",
)
@click.option(
    "--stretch",
    type=click.Choice(["linear", "sqrt", "asinh", "log"]),
    default="linear",
    show_default=True,
    help="Gray levels between black and white.",
)
@click.option("--limits", metavar="LOW,HIGH", help="Pixel values that are black and white.")
@click.option("--colormap", metavar="NAME", default="gray", show_default=True, help="Color map of matplotlib.")
@click.option("--planes", metavar="NAMES", help="Mask planes such as CR,SAT; none shows no mask. All by default.")
@click.option(
    "--transparency",
    type=click.FloatRange(0, 100),
    default=60.0,
    show_default=True,
    help="Transparency of the mask, percent.",
)
@click.option(
    "--sources",
    type=click.Choice(["none", "symbols", "ellipses"]),
    help="Show sources as circles, or as ellipses of their moments.",
)
@click.option(
    "--catalog",
    metavar="NAME",
    help="Catalog of the sources: a dataset type such as icSrc, or a file; by default that of the image.",
)
@click.option("--zoom", metavar="RA,DEC,SIZE", help="Part to show: degrees, arcsec; or X,Y,SIZEpx in pixels.")
@click.option("--source", type=int, metavar="ID", help="Show the part around this source of the catalog.")
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Two reruns, dataset types, data IDs such as visit=1,ccd=2, or files to compare.",
)
@click.option(
    "--how",
    type=click.Choice(["blink", "difference"]),
    default="blink",
    show_default=True,
    help="Form in which --compare shows two images.",
)
@click.option("--rgb", is_flag=True, help="Show three images as red, green and blue, by their wavelengths.")
@click.option(
    "--regions",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write sources or amplifiers as a region file of DS9, too.",
)
@click.option("--ds9", is_flag=True, help="Show the image in SAOImage DS9, which is started if it does not run.")
@click.option("--frame", type=click.IntRange(min=1), default=1, show_default=True, help="Number of the frame of DS9.")
@click.option("--clobber", is_flag=True, help="Replace files that exist already.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@calls("obs.cli.display:display")
def display() -> None:
    """Draw an image, or show it in DS9.

    The image is the dataset DATASET of the repository REPO, or a FITS file.

    Every dataset that is an image can be drawn: raw frames (with the outlines of amplifiers and overscan), calibration
    frames, postISRCCD, calexp, backgrounds, PSFs (calexp_psf), coadds, differences. Mask planes have the colors of the
    LSST stack. The picture goes to the file of -o. Without -o it is opened in a viewer if there is a screen; where it
    was written is printed.
    """
