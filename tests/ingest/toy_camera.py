"""A camera of two small detectors, and raw frames of it made byte by byte."""

import gzip

from obs.instrument.instrument import FilterDefinition, Instrument

POLICY = """\
camera: camera
defaultLevel: sensor
needCalibRegistry: true
levels: {sensor: [], visit: [ccd]}
exposures:
  raw: {template: "raw/%(dateObs)s/raw-%(visit)05d-%(filter)s-%(ccd)d.fits", tables: raw}
calibrations:
  bias: {template: "bias/%(calibDate)s/bias-%(calibDate)s-%(ccd)d.fits", reference: raw}
  dark: {template: "dark/%(calibDate)s/dark-%(calibDate)s-%(ccd)d.fits", reference: raw}
  flat: {template: "flat/%(calibDate)s/flat-%(calibDate)s-%(filter)s-%(ccd)d.fits", reference: raw}
  fringe: {template: "fringe/%(calibDate)s/fringe-%(calibDate)s-%(filter)s-%(ccd)d.fits", reference: raw}
  sky: {template: "sky/%(calibDate)s/sky-%(calibDate)s-%(filter)s-%(ccd)d.fits", reference: raw}
  defects: {template: "defects/%(calibDate)s/defects-%(calibDate)s-%(ccd)d.fits", reference: raw}
datasets: {}
"""
CAMERA = "name: toy\nplate_scale: 20.0\n"
DETECTORS = """\
id,name,serial,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,offset_x,offset_y
0,zero,d0,48,40,56,40,0.015,0.015,0,0
1,one,d1,48,40,56,40,0.015,0.015,1,0
"""
AMPLIFIERS = (
    "detector,name,bbox_x_min,bbox_y_min,bbox_width,bbox_height,raw_bbox_x_min,raw_bbox_y_min,raw_bbox_width,"
    "raw_bbox_height,raw_data_bbox_x_min,raw_data_bbox_y_min,raw_data_bbox_width,raw_data_bbox_height,"
    "raw_serial_overscan_bbox_x_min,raw_serial_overscan_bbox_y_min,raw_serial_overscan_bbox_width,"
    "raw_serial_overscan_bbox_height,readout_corner,gain,read_noise,saturation\n"
) + "".join(
    f"{name},left,0,0,24,40,0,0,28,40,0,0,24,40,24,0,4,40,LL,1.5,4.0,60000\n"
    f"{name},right,24,0,24,40,28,0,28,40,32,0,24,40,28,0,4,40,LR,1.6,4.2,60000\n"
    for name in ("zero", "one")
)
HEADER = {
    "RUN": 1,
    "DETECTOR": 0,
    "FILTER": "r",
    "DATE-OBS": "2024-03-01T05:06:07.5",
    "EXPTIME": 30.0,
    "IMGTYPE": "OBJECT",
}


def card(keyword, value):
    text = f"'{value}'" if isinstance(value, str) else "TF"[not value] if isinstance(value, bool) else repr(value)
    return f"{keyword:8}= {text:>20} / a comment"


def hdu_bytes(cards, data=b"", first="SIMPLE  =                    T"):
    text = "".join(line.ljust(80) for line in [first, *(card(*item) for item in cards.items()), "END"])
    return text.ljust(-(-len(text) // 2880) * 2880).encode() + data + bytes(-len(data) % 2880)


def write_raw(path, **changes):
    """Write a frame of 16-bit zeros with the cards of `HEADER`, some changed; None leaves a card out."""
    cards = {k: v for k, v in (HEADER | {k.replace("_", "-"): v for k, v in changes.items()}).items() if v is not None}
    shape = {"BITPIX": 16, "NAXIS": 2, "NAXIS1": 56, "NAXIS2": 40}
    content = hdu_bytes(shape | cards, bytes(2 * 56 * 40))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def make_instrument(folder, **changes):
    plugin = folder / "plugin"
    (plugin / "camera").mkdir(parents=True, exist_ok=True)
    (plugin / "policy.yaml").write_text(POLICY)
    (plugin / "camera" / "camera.yaml").write_text(CAMERA)
    (plugin / "camera" / "detectors.csv").write_text(DETECTORS)
    (plugin / "camera" / "amplifiers.csv").write_text(AMPLIFIERS)
    facts = {
        "folder": plugin,
        "policy": "policy.yaml",
        "translator": "toy_translator:ToyTranslator",
        "filters": (FilterDefinition(physical_filter="g", band="g"), FilterDefinition(physical_filter="r", band="r")),
        "exposure_id": "builtins:hash",
        "exposure_id_bits": 32,
        "detector": "%(ccd)d",
    }
    return Instrument("toy", **(facts | changes))
