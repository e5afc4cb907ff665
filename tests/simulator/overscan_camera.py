"""A camera of two small detectors, the second turned; amplifiers with flips, overscan and non-linearity."""

from pathlib import Path
from typing import ClassVar

from obs.instrument.instrument import FilterDefinition, Instrument
from obs.instrument.translator import Translator

FILTERS = (
    FilterDefinition(physical_filter="T-R", band="r", aliases=("RED",), effective_wavelength=620.0),
    FilterDefinition(physical_filter="T-NB", band="n700", effective_wavelength=690.0),
)
WIDTH, HEIGHT, OVERSCAN, PRESCAN = 256, 320, 16, 4
_POLICY = """\
camera: camera
needCalibRegistry: true
defaultLevel: ccd
levels:
  ccd: []
exposures:
  raw:
    template: raw/%(dateObs)s/%(filter)s/%(visit)05d-%(ccd)d.fits
    tables: [raw, raw_visit]
calibrations:
  bias:
    template: BIAS/%(calibDate)s-%(ccd)d.fits
    columns: [ccd]
  dark:
    template: DARK/%(calibDate)s-%(ccd)d.fits
    columns: [ccd]
  flat:
    template: FLAT/%(calibDate)s-%(filter)s-%(ccd)d.fits
    columns: [filter, ccd]
  defects:
    template: DEFECTS/%(calibDate)s-%(ccd)d.fits
    columns: [ccd]
datasets: {}
"""
GAINS = (2.0, 2.5)

_DETECTORS = """\
id,name,serial,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,offset_x,offset_y,yaw
1,west,a,{width},{height},{raw_width},{raw_height},0.015,0.015,-3,0,0
2,east,b,{width},{height},{raw_width},{raw_height},0.015,0.015,3,0,180
"""
_BOXES = ("bbox", "raw_bbox", "raw_data_bbox", "raw_serial_overscan_bbox", "raw_prescan_bbox")


class ToyTranslator(Translator):
    """Writes and reads headers of a handful of cards."""

    columns: ClassVar = {
        "visit": int,
        "ccd": int,
        "filter": str,
        "dataType": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
    }
    unique = ("visit", "ccd")
    visit = ("visit", "filter", "dateObs", "taiObs")
    constants: ClassVar = {"time_scale": "UTC", "rotation_type": "SKY"}
    translation: ClassVar = {
        "visit": "VISIT",
        "ccd": "CCD",
        "filter": "FILTER",
        "dataType": "IMGTYPE",
        "expTime": "EXPTIME",
        "exposure_time": "EXPTIME",
        "date_begin": "DATE-OBS",
        "boresight_ra": "RA",
        "boresight_dec": "DEC",
        "rotation_angle": "ROTANG",
    }

    translators: ClassVar = {"dateObs": "translate_date", "taiObs": "translate_date"}

    def translate_date(self, md):
        return md["DATE-OBS"].split("T")[0]

    @classmethod
    def make_header(cls, data_id, *, visit_info, detector, physical_filter, image_type):
        return {
            "VISIT": data_id["visit"],
            "CCD": detector.id,
            "FILTER": physical_filter,
            "IMGTYPE": image_type.upper(),
            "EXPTIME": (visit_info.exposure_time, "[s]"),
            "DATE-OBS": visit_info.date_begin,
            "RA": visit_info.boresight_ra,
            "DEC": visit_info.boresight_dec,
            "ROTANG": visit_info.rotation_angle,
        }


def write_toy_camera(
    folder: Path,
    *,
    linearity: str = "None",
    coefficients: tuple[float, ...] = (0.0,),
    table: str = "",
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Instrument:
    """Write the tables of the camera and return the instrument; ``table`` is the text of a linearity table."""
    half = width // 2
    raw_half = PRESCAN + half + OVERSCAN
    shape = {"width": width, "height": height, "raw_width": 2 * raw_half, "raw_height": height}
    camera = folder / "camera"
    camera.mkdir(parents=True)
    settings = "name: toy\nplate_scale: 14.0\ndistortion:\n  radial: [1.0e-5]\n"
    if table:
        settings += "linearity_table: linearity.csv\n"
        (camera / "linearity.csv").write_text(table)
    (camera / "camera.yaml").write_text(settings)
    (camera / "detectors.csv").write_text(_DETECTORS.format(**shape))
    names = [f"{box}_{part}" for box in _BOXES for part in ("x_min", "y_min", "width", "height")]
    header = ["detector", "name", *names, "readout_corner", "flip_x", "gain", "read_noise", "saturation"]
    rows = [[*header, "linearity_type", *(f"linearity_c{number}" for number in range(len(coefficients)))]]
    left = [0, 0, half, height, 0, 0, raw_half, height, PRESCAN, 0, half, height]
    left += [PRESCAN + half, 0, OVERSCAN, height, 0, 0, PRESCAN, height]
    right = [half, 0, half, height, raw_half, 0, raw_half, height, raw_half + PRESCAN, 0, half, height]
    right += [raw_half + PRESCAN + half, 0, OVERSCAN, height, raw_half, 0, PRESCAN, height]
    for detector in ("west", "east"):
        for name, boxes, corner, flip, gain in (
            ("left", left, "LL", "false", GAINS[0]),
            ("right", right, "LR", "true", GAINS[1]),
        ):
            rows.append([detector, name, *boxes, corner, flip, gain, 5.0, 50000, linearity, *coefficients])
    (camera / "amplifiers.csv").write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    (folder / "policy.yaml").write_text(_POLICY)
    return toy_instrument(folder)


def toy_instrument(folder: Path) -> Instrument:
    """Return the camera whose tables are in a folder."""
    return Instrument(
        "toy",
        folder=folder,
        policy="policy.yaml",
        filters=FILTERS,
        exposure_id="overscan_camera:exposure_id",
        exposure_id_bits=32,
        detector="%(ccd)d",
        translator="overscan_camera:ToyTranslator",
    )


def exposure_id(data_id):
    return data_id["visit"] * 10 + data_id["ccd"]
