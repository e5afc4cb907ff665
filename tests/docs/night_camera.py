"""A camera that obs knows nothing of, and a night of its raw files as its observatory writes them.

Two amplifiers share one image; their overscans lie side by side at the far side.
"""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

import astropy.units as u
from astropy.coordinates import Angle
from astropy.table import Table

from obs.instrument.instrument import FilterDefinition, Instrument
from obs.instrument.translator import Translator
from obs.simulator.config import SimulateConfig
from obs.simulator.files import FileOptions, simulate_file, write_reference
from obs.simulator.shots import plan_shots

HALF, ROWS, OVERSCAN = 512, 1024, 32
SCALE, PIXEL = 0.5, 0.015  # arcsec, mm
GAINS, READ_NOISE, SATURATION = (1.4, 1.5), 4.5, 55000
FIRST = {"bias": 1, "flat": 11, "science": 21}
"""Number of the first exposure of each type."""
COUNT = {"bias": 3, "flat": 3, "science": 2}
SECONDS = {"bias": 0.0, "flat": 5.0, "science": 60.0}
_IMAGE_TYPES = {"bias": "BIAS", "flat": "FLAT", "science": "OBJECT"}

_POLICY = """\
camera: camera
defaultLevel: sensor
exposures:
  raw:
    template: raw/%(visit)05d.fits
    tables: [raw]
"""
_CAMERA = f"name: night\nplate_scale: {SCALE / PIXEL}\n"
_DETECTORS = f"""\
id,name,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,offset_x,offset_y
0,chip,{2 * HALF},{ROWS},{2 * (HALF + OVERSCAN)},{ROWS},{PIXEL},{PIXEL},0,0
"""


class NightTranslator(Translator):
    """Writes headers as the observatory does; nobody reads them with this class."""

    columns: ClassVar = {"visit": int}
    unique = ("visit",)
    visit = ("visit",)

    def translate_visit(self, md):
        return int(md["OBSNUM"])

    @classmethod
    def make_header(cls, data_id, *, visit_info, detector, physical_filter, image_type):
        ra, dec = Angle(visit_info.boresight_ra, u.deg), Angle(visit_info.boresight_dec, u.deg)
        return {
            "TELESCOP": "Hilltop 0.6 m",
            "INSTRUME": "NightCam",
            "OBSNUM": (data_id["visit"], "number of the exposure"),
            "OBJECT": "NGC 2903" if image_type == "science" else image_type,
            "IMAGETYP": _IMAGE_TYPES[image_type],
            "FILTER": physical_filter,
            "EXPTIME": (visit_info.exposure_time, "[s] exposure time"),
            "DATE-OBS": (visit_info.date_begin, "UTC at the start"),
            "RA": ra.to_string(u.hourangle, sep=":", precision=2, pad=True),
            "DEC": dec.to_string(sep=":", precision=1, alwayssign=True, pad=True),
            "AIRMASS": 1.0 if image_type != "science" else round(visit_info.airmass, 3),
            **_amplifier_cards(),
            **_wcs_cards(ra.deg, dec.deg),
        }


def _amplifier_cards():
    cards = {}
    for number, (letter, gain) in enumerate(zip("AB", GAINS, strict=True)):
        data, overscan = number * HALF, 2 * HALF + number * OVERSCAN
        cards |= {
            f"DATASEC{letter}": f"[{data + 1}:{data + HALF},1:{ROWS}]",
            f"CCDSEC{letter}": f"[{data + 1}:{data + HALF},1:{ROWS}]",
            f"BIASSEC{letter}": f"[{overscan + 1}:{overscan + OVERSCAN},1:{ROWS}]",
            f"GAIN{letter}": (gain, "[e-/ADU]"),
            f"RDNOISE{letter}": (READ_NOISE, "[e-]"),
            f"SATURAT{letter}": (SATURATION, "[ADU]"),
        }
    return cards


def _wcs_cards(ra, dec):
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": round(ra, 6),
        "CRVAL2": round(dec, 6),
        "CRPIX1": HALF + 0.5,
        "CRPIX2": ROWS / 2 + 0.5,
        "CD1_1": -SCALE / 3600,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": SCALE / 3600,
    }


def exposure_id(data_id):
    return data_id["visit"]


def _write_tables(folder: Path) -> Instrument:
    camera = folder / "camera"
    camera.mkdir(parents=True)
    (folder / "policy.yaml").write_text(_POLICY)
    (camera / "camera.yaml").write_text(_CAMERA)
    (camera / "detectors.csv").write_text(_DETECTORS)
    boxes = ("bbox", "raw_bbox", "raw_data_bbox", "raw_serial_overscan_bbox")
    header = [f"{box}_{part}" for box in boxes for part in ("x_min", "y_min", "width", "height")]
    rows = [["detector", "name", *header, "readout_corner", "gain", "read_noise", "saturation"]]
    for number, (letter, gain) in enumerate(zip("AB", GAINS, strict=True)):
        data = [number * HALF, 0, HALF, ROWS]
        overscan = [2 * HALF + number * OVERSCAN, 0, OVERSCAN, ROWS]
        rows.append(["chip", letter, *data * 3, *overscan, "LL", gain, READ_NOISE, SATURATION])
    (camera / "amplifiers.csv").write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return make_instrument(folder)


def make_instrument(folder: Path) -> Instrument:
    """Return the camera whose tables are in a folder."""
    return Instrument(
        "night",
        folder=folder,
        policy="policy.yaml",
        filters=(FilterDefinition(physical_filter="r", band="r", effective_wavelength=620.0),),
        exposure_id="night_camera:exposure_id",
        exposure_id_bits=32,
        detector="0",
        translator="night_camera:NightTranslator",
    )


def write_night(folder: Path, tables: Path) -> Path:
    """Write raw files ``a0001.fits`` and so on, and ``stars.csv`` beside their folder."""
    instrument = _write_tables(tables)
    detectors = instrument.load_camera().detectors
    config = SimulateConfig.model_validate({"optics": {"seeing": 1.4}, "sources": {"density": 40000.0}})
    hours = {"bias": 18, "flat": 19, "science": 22}
    for image_type, count in COUNT.items():
        shots = plan_shots(
            image_type=image_type,
            count=count,
            first_visit=FIRST[image_type],
            date_begin=datetime(2024, 3, 1, hours[image_type]),
            exposure_time=SECONDS[image_type],
            physical_filters=["r"],
            ra=143.04,
            dec=21.5,
            dither=30.0,
            airmass=1.1,
            seed=1,
        )
        for shot in shots:
            path = simulate_file(instrument, shot, detectors, config, FileOptions(folder, "fits", truth=False), seed=1)
            path.rename(folder / f"a{shot.visit:04d}.fits")
    return _write_stars(write_reference(instrument, shots, detectors, config, tables, seed=1), folder.parent)


def _write_stars(reference: Path, folder: Path) -> Path:
    """Write the reference catalog as somebody would have downloaded it."""
    table = Table.read(reference, hdu=1)
    stars = Table()
    stars["ra"], stars["dec"] = (table[f"coord_{axis}"].quantity.to_value(u.deg) for axis in ("ra", "dec"))
    stars["r_mag"] = table["r_flux"].quantity.to_value(u.ABmag)
    path = folder / "stars.csv"
    stars.write(path)
    return path
