"""A camera of two small detectors, the second turned; amplifiers with flips, overscan and non-linearity."""

from pathlib import Path

from obs.instrument.instrument import FilterDefinition, Instrument

FILTERS = (
    FilterDefinition(physical_filter="T-R", band="r", aliases=("RED",), effective_wavelength=620.0),
    FilterDefinition(physical_filter="T-NB", band="n700", effective_wavelength=690.0),
)
WIDTH, HEIGHT, OVERSCAN, PRESCAN = 256, 320, 16, 4
GAINS = (2.0, 2.5)

_DETECTORS = """\
id,name,serial,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,offset_x,offset_y,yaw
1,west,a,{width},{height},{raw_width},{raw_height},0.015,0.015,-3,0,0
2,east,b,{width},{height},{raw_width},{raw_height},0.015,0.015,3,0,180
"""
_BOXES = ("bbox", "raw_bbox", "raw_data_bbox", "raw_serial_overscan_bbox", "raw_prescan_bbox")


class ToyTranslator:
    """Writes and reads headers of a handful of cards."""

    @classmethod
    def make_header(cls, data_id, *, visit_info, detector, physical_filter, image_type):
        return {
            "VISIT": data_id["visit"],
            "CCD": detector.id,
            "FILTER": physical_filter,
            "IMGTYPE": image_type.upper(),
            "EXPTIME": (visit_info.exposure_time, "[s]"),
            "DATE-OBS": visit_info.date_begin,
        }


def write_toy_camera(folder: Path, *, linearity: str = "None", coefficient: float = 0.0) -> Instrument:
    """Write the tables of the camera and return the instrument."""
    half = WIDTH // 2
    raw_half = PRESCAN + half + OVERSCAN
    shape = {"width": WIDTH, "height": HEIGHT, "raw_width": 2 * raw_half, "raw_height": HEIGHT}
    camera = folder / "camera"
    camera.mkdir(parents=True)
    (camera / "camera.yaml").write_text("name: toy\nplate_scale: 14.0\ndistortion:\n  radial: [1.0e-5]\n")
    (camera / "detectors.csv").write_text(_DETECTORS.format(**shape))
    names = [f"{box}_{part}" for box in _BOXES for part in ("x_min", "y_min", "width", "height")]
    header = ["detector", "name", *names, "readout_corner", "flip_x", "gain", "read_noise", "saturation"]
    rows = [[*header, "linearity_type", "linearity_c0"]]
    left = [0, 0, half, HEIGHT, 0, 0, raw_half, HEIGHT, PRESCAN, 0, half, HEIGHT]
    left += [PRESCAN + half, 0, OVERSCAN, HEIGHT, 0, 0, PRESCAN, HEIGHT]
    right = [half, 0, half, HEIGHT, raw_half, 0, raw_half, HEIGHT, raw_half + PRESCAN, 0, half, HEIGHT]
    right += [raw_half + PRESCAN + half, 0, OVERSCAN, HEIGHT, raw_half, 0, PRESCAN, HEIGHT]
    for detector in ("west", "east"):
        for name, boxes, corner, flip, gain in (
            ("left", left, "LL", "false", GAINS[0]),
            ("right", right, "LR", "true", GAINS[1]),
        ):
            rows.append([detector, name, *boxes, corner, flip, gain, 5.0, 50000, linearity, coefficient])
    (camera / "amplifiers.csv").write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return Instrument(
        "toy",
        folder=folder,
        policy="policy.yaml",
        filters=FILTERS,
        exposure_id="toy_camera:exposure_id",
        exposure_id_bits=32,
        detector="%(ccd)d",
        translator="toy_camera:ToyTranslator",
    )


def exposure_id(data_id):
    return data_id["visit"] * 10 + data_id["ccd"]
