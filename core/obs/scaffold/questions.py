"""The questions that `obs new` asks: their words, and when each one is asked."""

from collections.abc import Callable, Mapping

from obs.frozen import frozen
from obs.scaffold.answer_checks import CHOICES, read_grid

__all__ = ["QUESTIONS", "Question"]

Given = Mapping[str, str]


def _always(_: Given) -> bool:
    return True


def _several_detectors(answers: Given) -> bool:
    return _count(answers, "detectors") > 1


def _several_amplifiers(answers: Given) -> bool:
    return _count(answers, "amplifiers") > 1


def _is_read_from_elsewhere(answers: Given) -> bool:
    """Whether an amplifier is not read from the lower left, so that the order of its pixels matters."""
    return any(corner != "LL" for corner in answers.get("readout", "").split())


def _count(answers: Given, name: str) -> int:
    rows, columns = read_grid(answers.get(name, "1"))
    return rows * columns


def _usual_corners(answers: Given) -> str:
    """Return the corners that are usual for so many amplifiers: each reads away from the middle."""
    usual = {(1, 2): "LL LR", (2, 1): "LL UL", (2, 2): "LL LR UL UR"}
    return usual.get(read_grid(answers.get("amplifiers", "1")), "LL")


@frozen
class Question:
    """One question that `obs new` asks.

    Parameters
    ----------
    name : str
        Field of `obs.scaffold.answers.Answers`.
    label : str
        What is asked for, with its unit; also the help of the option.
    line : str
        One line that explains it.
    more : str
        What ``?`` prints: where to find the answer, an example, and what follows from it.
    in_files : bool
        Whether raw files give the answer, so that it is not asked where there are some.
    is_due : callable
        Whether to ask, given the answers so far.
    default : callable, optional
        Answer to propose, given the answers so far; that of `Answers` without it.
    """

    name: str
    label: str
    line: str
    more: str
    in_files: bool = True
    is_due: Callable[[Given], bool] = _always
    default: Callable[[Given], str] | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """The words of which one is the answer; empty for other questions."""
        return CHOICES.get(self.name, ())


QUESTIONS = (
    Question(
        "title",
        "Description of the camera, one line",
        "It is the headline of the package.",
        "Name the camera, the telescope and the observatory, for example: CCD camera of the 1.2 m telescope, "
        "Skinakas. The text appears in the README and in pyproject.toml. You can change it there.",
        in_files=False,
    ),
    Question(
        "author",
        "Holder of the copyright",
        "Your name or your group's, for the LICENSE file.",
        "The package has the BSD-3-Clause license, which names a holder. You can change both before you publish it.",
        in_files=False,
    ),
    Question(
        "visit_key",
        "Key of an exposure in data IDs",
        "You will type it in commands: obs process DATA --id visit=12.",
        "Names are letters and digits, such as visit, expnum or run. Data IDs select data: visit=12 ccd=3. Keep "
        "'visit' unless your observatory has another word.",
        in_files=False,
    ),
    Question(
        "detector_key",
        "Key of a detector in data IDs",
        "You will type it in commands: obs process DATA --id visit=12 ccd=0.",
        "Names are letters and digits, such as ccd, chip or detector. A camera with one detector has ccd=0.",
        in_files=False,
    ),
    Question(
        "detectors",
        "Detectors of the mosaic, rows x columns",
        "1 for a single detector; 2 x 4 for two rows of four.",
        "Count the detectors (chips) as they lie in the focal plane. They are numbered from 0 at the lower left, "
        "along the rows: 2 x 4 has 0 to 3 below and 4 to 7 above. A number alone is one row. Rotated or missing "
        "detectors: edit camera/detectors.csv of the package afterwards, one row a detector.",
    ),
    Question(
        "gap_x",
        "Gap between detectors side by side, pixels",
        "From the last column of one detector to the first of the next.",
        "Divide a gap in mm by the pixel size in mm. A guess within 100 pixels is enough to begin: the astrometric "
        "solution of each detector shows the rest.",
        is_due=lambda answers: read_grid(answers.get("detectors", "1"))[1] > 1,
    ),
    Question(
        "gap_y",
        "Gap between detectors above each other, pixels",
        "From the top row of one detector to the bottom row of the next.",
        "Divide a gap in mm by the pixel size in mm. A guess within 100 pixels is enough to begin.",
        is_due=lambda answers: read_grid(answers.get("detectors", "1"))[0] > 1,
    ),
    Question(
        "file_holds",
        "Content of a raw file: detector or exposure",
        "detector: each detector has its own file; exposure: one file has all, a detector in each extension.",
        "List a file with astropy: fitsinfo FILE. If it shows as many images as the camera has detectors (or "
        "amplifiers of all detectors), answer 'exposure'. If your camera writes several files for one exposure, "
        "answer 'detector'.",
        is_due=_several_detectors,
    ),
    Question(
        "amplifiers",
        "Amplifiers of a detector, rows x columns",
        "1 for a single amplifier; 1 x 2 for two side by side; 2 x 2 for one in each corner.",
        "An amplifier (channel, port) reads a part of the detector and has a gain and a bias level of its own. In "
        "a flat you see their borders as steps. A number alone counts amplifiers side by side.",
    ),
    Question(
        "amplifier_images",
        "Images of the amplifiers: shared or own",
        "shared: all are in one image; own: each amplifier has an extension of the file.",
        "List a file with astropy: fitsinfo FILE. As many images as amplifiers mean 'own'. Extensions are taken in "
        "the order of the amplifiers, by rows from the lower left; edit raw_hdu in camera/amplifiers.csv for "
        "another order.",
        is_due=_several_amplifiers,
    ),
    Question(
        "readout",
        "Corner that each amplifier reads first",
        "LL lower left, LR lower right, UL upper left, UR upper right; one for all, or one for each by rows.",
        "For four amplifiers in the corners: LL LR UL UR. Amplifiers are listed by rows from the lower left of the "
        "detector. The overscan of an amplifier that reads from the right is left of its data, where the file has "
        "the pixels as on the detector. Crosstalk and bleed trails need the corner, too.",
        default=_usual_corners,
    ),
    Question(
        "pixel_order",
        "Order of the pixels in the file: detector or readout",
        "detector: as on the detector; readout: each amplifier's first pixel is at its lower left.",
        "Look at a star field or a flat in a viewer. If neighboring amplifiers are mirror images of each other, "
        "the file has the pixels in the order of readout: obs then flips them.",
        is_due=_is_read_from_elsewhere,
    ),
    Question(
        "width",
        "Columns of data of an amplifier",
        "Columns that see light, without prescan and overscan.",
        "A detector of 2048 columns with two amplifiers side by side has 1024. NAXIS1 of the raw image, less "
        "prescan and overscan, divided by the number of amplifiers side by side. For binned frames: in binned "
        "pixels.",
    ),
    Question(
        "height",
        "Rows of data of an amplifier",
        "Rows that see light, without rows of overscan.",
        "A detector of 4096 rows with two rows of amplifiers has 2048. For binned frames: in binned pixels.",
    ),
    Question(
        "prescan",
        "Columns of prescan before the data",
        "Columns that an amplifier reads before its data; 0 for none.",
        "They see no light and are cut off. Headers call them PRESCAN or BIASSEC, or leave them out of DATASEC.",
    ),
    Question(
        "overscan",
        "Columns of overscan behind the data",
        "Columns that an amplifier reads after its data; 0 for none, as in CMOS cameras.",
        "They show the bias level of each row, which is subtracted. Headers call them BIASSEC or OVERSCAN. In a "
        "flat they are the dark columns beside the image.",
    ),
    Question(
        "overscan_rows",
        "Rows of overscan after the data",
        "Rows that an amplifier reads after its data; 0 for none.",
        "In a flat they are the dark rows beside the image. They are cut off.",
    ),
    Question(
        "gain",
        "Gain, e-/ADU (empty: not known)",
        "Electrons for one ADU. Leave it empty if you do not know it.",
        "Camera manuals call it e-/ADU or conversion gain; it is seldom the GAIN setting of a CMOS camera. It can "
        "be measured later from two flats and two biases: obs doctor NAME FILE...",
    ),
    Question(
        "read_noise",
        "Read noise, e- (empty: not known)",
        "Noise of one read in electrons. Leave it empty if you do not know it.",
        "Between 1 (CMOS) and 15 (old CCDs). If it is empty, it is measured from overscan, or from pairs of biases.",
    ),
    Question(
        "saturation",
        "Saturation, ADU (empty: not known)",
        "Level above which pixels are not linear. Leave it empty if you do not know it.",
        "65535 for full 16-bit converters, often less. If it is empty, the highest number of the converter counts.",
    ),
    Question(
        "filters",
        "Names of the filters, with spaces or commas between",
        "As in the headers: g r i, or with commas: H alpha, O III. 'none' for a camera without filters.",
        "Of files, that is known, and NAME=BAND (2=V 3=R) gives bands. "
        "Each name is also taken as the band of reference catalogs. Give it another band in __init__.py of the "
        'package, for example FilterDefinition(physical_filter="Johnson V", band="V").',
    ),
    Question(
        "pixel_scale",
        "Pixel scale, arcsec",
        "Width of a pixel on the sky. For binned frames: of a binned pixel.",
        "206.265 times the pixel size in micrometers, divided by the focal length in mm. Within 20 % it is good "
        "enough: the astrometric solution finds the rest.",
    ),
    Question(
        "pixel_size",
        "Pixel size, mm",
        "Width of a pixel on the detector: 0.015 for 15 micrometers. For binned frames: of a binned pixel.",
        "Manuals of detectors list it in micrometers; headers call it XPIXSZ or PIXSIZE. It gives the focal plane its "
        "unit, so gaps and plate scale follow from it.",
    ),
    Question(
        "site",
        "Longitude (degrees, east positive), latitude (degrees) and elevation (meters) of the observatory",
        "Where the telescope is, such as -70.81 -30.17 2200. May be left empty.",
        "Headers often have a name only, which OBSERVAT holds. Airmass, where headers have none, and the night that an "
        "exposure belongs to follow from it; without it they stay unknown. It is written into translator.py.",
    ),
)
"""In the order in which they are asked."""
