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
NAMES = {0: "zero", 1: "one"}
CAMERA = "name: toy\nplate_scale: 20.0\n"
GAINS, READ_NOISE = (1.5, 1.6), (4.0, 4.2)


def detectors_table(scale=1):
    """Return detectors.csv; the detectors are ``scale`` times 48 x 40 pixels large."""
    width, height = 48 * scale, 40 * scale
    head = "id,name,serial,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,offset_x,offset_y\n"
    rows = (f"{i},{name},d{i},{width},{height},{width + 8},{height},0.015,0.015,{i},0\n" for i, name in NAMES.items())
    return head + "".join(rows)


def amplifiers_table(scale=1):
    """Return amplifiers.csv: two amplifiers beside each other, with four columns of overscan each."""
    half, height = 24 * scale, 40 * scale
    boxes = ("bbox", "raw_bbox", "raw_data_bbox", "raw_serial_overscan_bbox")
    sides = [f"{box}_{side}" for box in boxes for side in ("x_min", "y_min", "width", "height")]
    head = ",".join(["detector", "name", *sides, "readout_corner", "gain", "read_noise", "saturation"]) + "\n"
    xs = {"left": (0, 0, 0, half), "right": (half, half + 4, half + 8, half + 4)}
    widths = (half, half + 4, half, 4)
    rows = [
        ",".join(
            map(
                str,
                [
                    detector,
                    name,
                    *(n for x, width in zip(xs[name], widths, strict=True) for n in (x, 0, width, height)),
                    corner,
                    gain,
                    noise,
                    60000,
                ],
            )
        )
        for detector in NAMES.values()
        for name, corner, gain, noise in zip(xs, ("LL", "LR"), GAINS, READ_NOISE, strict=True)
    ]
    return head + "\n".join(rows) + "\n"


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


def _write(path, text):
    """Write a file of the camera, unless it is there: other processes may be reading it."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def make_instrument(folder, scale=1, **changes):
    plugin = folder / "plugin"
    (plugin / "camera").mkdir(parents=True, exist_ok=True)
    _write(plugin / "policy.yaml", POLICY)
    _write(plugin / "camera" / "camera.yaml", CAMERA)
    _write(plugin / "camera" / "detectors.csv", detectors_table(scale))
    (plugin / "config").mkdir(exist_ok=True)
    _write(plugin / "config" / "process.yaml", "isr: {do_crosstalk: false}\ncalibrate: {write_matches: false}\n")
    _write(plugin / "camera" / "amplifiers.csv", amplifiers_table(scale))
    facts = {
        "folder": plugin,
        "policy": "policy.yaml",
        "translator": "toy_translator:ToyTranslator",
        "filters": (FilterDefinition(physical_filter="g", band="g"), FilterDefinition(physical_filter="r", band="r")),
        "exposure_id": "toy_translator:exposure_id",
        "exposure_id_bits": 32,
        "detector": "%(ccd)d",
    }
    return Instrument("toy", **(facts | changes))
