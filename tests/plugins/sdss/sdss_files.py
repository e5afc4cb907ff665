"""Small SDSS files in the layouts of the real ones, with known content."""

import dataclasses
import gzip
import sqlite3
from pathlib import Path

import numpy as np
from astropy.io import fits

SHAPE = (1489, 2048)
BANDS = "ugriz"
ASTRANS_FILTERS = "r i u z g"
PLANES = ("INTERP", "SATUR", "NOTCHECKED", "OBJECT", "CR")


def real_id(band: str) -> dict[str, int | str]:
    """Return the data ID of the real frame that the tests use."""
    return {"run": 4192, "rerun": 40, "camcol": 4, "field": 300, "filter": band}


@dataclasses.dataclass
class Frame:
    """What the files of one frame say."""

    run: int = 94
    rerun: int = 40
    camcol: int = 2
    field: int = 11
    band: str = "g"
    soft_bias: int = 1000
    sky: int = 80
    star: tuple[int, int, int] = (300, 200, 5000)  # x, y, counts in one pixel
    gain: tuple[float, ...] = (1.5, 4.0, 4.5, 5.0, 5.5)  # in the order of BANDS
    dark_variance: tuple[float, ...] = (12.0, 2.0, 1.5, 6.0, 9.0)
    aa: tuple[float, ...] = (-23.7, -24.4, -24.0, -23.7, -21.8)
    # plane: regions of spans (y, first x, last x)
    spans: dict[str, list[list[tuple[int, int, int]]]] = dataclasses.field(
        default_factory=lambda: {
            "INTERP": [[(y, 119, 119) for y in range(SHAPE[0])], [(5, 10, 19), (6, 10, 14)]],
            "SATUR": [[(6, 12, 13)]],
            "OBJECT": [[(7, 0, 2047)]],
        }
    )

    @property
    def data_id(self) -> dict[str, int | str]:
        return {
            "run": self.run,
            "rerun": self.rerun,
            "camcol": self.camcol,
            "field": self.field,
            "filter": self.band,
        }

    def path(self, root: Path, kind: str) -> Path:
        run, rerun, camcol, number = self.run, self.rerun, self.camcol, self.field
        base = root / f"{run}/{rerun}"
        return {
            "fpC": base / f"corr/{camcol}/fpC-{run:06d}-{self.band}{camcol}-{number:04d}.fit.gz",
            "fpM": base / f"objcs/{camcol}/fpM-{run:06d}-{self.band}{camcol}-{number:04d}.fit",
            "psField": base / f"objcs/{camcol}/psField-{run:06d}-{camcol}-{number:04d}.fit",
            "asTrans": base / f"astrom/asTrans-{run:06d}.fit",
            "tsField": base / f"calibChunks/{camcol}/tsField-{run:06d}-{camcol}-{rerun}-{number:04d}.fit",
        }[kind]


def header_of(frame: Frame) -> dict[str, object]:
    return {
        "DATE-OBS": "1998-09-20",
        "TAIHMS": "06:01:22.73",
        "RA": 352.27586,
        "DEC": 0.0,
        "SPA": 90.0,
        "AZ": 16.235137,
        "ALT": 56.074786,
        "RUN": frame.run,
        "FRAME": frame.field + {"r": 0, "i": 2, "u": 4, "z": 6, "g": 8}[frame.band],
        "STRIPE": 82,
        "STRIP": "S       ",
        "EXPTIME": "53.907456",
        "C_OBS": 26322,
        "SOFTBIAS": frame.soft_bias,
        "FLUX0": -9999.0,
        "FILTER": frame.band,
        "CAMCOL": frame.camcol,
        "RADECSYS": "ICRS",
        "CTYPE1": "RA---TAN",
    }


def image_of(frame: Frame) -> np.ndarray:
    """Pixels with soft bias, uint16."""
    image = np.full(SHAPE, frame.soft_bias + frame.sky, np.uint16)
    x, y, counts = frame.star
    image[y, x] += counts
    image[0, 0] = frame.soft_bias - 20  # below zero without the bias
    image[SHAPE[0] - 1] = 40000  # in the overlap
    return image


def _write(path: Path, *hdus: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    fits.HDUList(list(hdus)).writeto(plain, overwrite=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(plain.read_bytes(), 1))
        plain.unlink()
    return path


def _primary(**cards: object) -> fits.PrimaryHDU:
    return fits.PrimaryHDU(header=fits.Header(list(cards.items())))


def write_fpc(path: Path, frame: Frame, image: np.ndarray | None = None, **cards: object) -> Path:
    header = fits.Header(list((header_of(frame) | cards).items()))
    return _write(path, fits.PrimaryHDU(image_of(frame) if image is None else image, header))


def write_fpm(path: Path, frame: Frame, shape: tuple[int, int] = SHAPE) -> Path:
    tables = []
    for plane in PLANES:
        regions = frame.spans.get(plane, [])
        row_0, column_0 = 2, 3  # an offset that a reader must take off
        spans = np.empty(len(regions), object)
        for i, region in enumerate(regions):
            words = [word for y, first, last in region for word in (y + row_0, first + column_0, last + column_0)]
            spans[i] = np.frombuffer(np.array(words, ">u2").tobytes(), np.uint8)
        numbers = {
            "refcntr": np.ones(len(regions)),
            "nspan": [len(region) for region in regions],
            "row0": np.full(len(regions), row_0),
            "col0": np.full(len(regions), column_0),
        }
        columns = [fits.Column(name, "1J", array=np.array(values, np.int32)) for name, values in numbers.items()]
        tables.append(fits.BinTableHDU.from_columns([*columns, fits.Column("s", "1PB()", array=spans)]))
    names = ["S_MASK_" + plane for plane in PLANES] + ["S_NMASK_TYPES"]
    last = fits.BinTableHDU.from_columns(
        [
            fits.Column("defName", "31A", array=["S_MASKTYPE"] * len(names)),
            fits.Column("attributeName", "31A", array=names),
            fits.Column("Value", "1J", array=np.arange(len(names))),
        ]
    )
    return _write(path, _primary(MASKROWS=shape[0], MASKCOLS=shape[1], NPLANE=len(PLANES)), *tables, last)


def components(band: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights (2, 5, 5), rubbish beyond [:3, :3], and images (2, 51, 51), not symmetric."""
    rng = np.random.default_rng(BANDS.index(band))
    y, x = np.mgrid[-25:26, -25:26]
    wide = np.exp(-0.5 * (x**2 / 4.0 + y**2 / 3.0))
    images = np.stack([wide, wide * (0.1 * x - 0.05 * y + 0.02 * x * y)])
    weights = rng.normal(0.0, 0.01, (2, 5, 5))
    weights[0, 0, 0] = 1.0
    weights[:, 3:], weights[:, :, 3:] = 1e33, 1e33
    return weights.astype(np.float32), images.astype(np.float32)


def write_psfield(path: Path, frame: Frame) -> Path:
    tables = []
    for band in BANDS:
        weights, images = components(band)
        rows = np.empty(len(images), object)
        for i, image in enumerate(images):
            rows[i] = image.ravel()
        n = len(images)
        tables.append(
            fits.BinTableHDU.from_columns(
                [
                    fits.Column("nrow_b", "1J", array=np.full(n, 3)),
                    fits.Column("ncol_b", "1J", array=np.full(n, 3)),
                    fits.Column("c", "25E", dim="(5,5)", array=weights),
                    fits.Column("RNROW", "1J", array=np.full(n, 51)),
                    fits.Column("RNCOL", "1J", array=np.full(n, 51)),
                    fits.Column("RROWS", "1PE()", array=rows),
                ]
            )
        )
    field_table = fits.BinTableHDU.from_columns(
        [
            fits.Column("psf_width", "5E", array=[[1.5, 1.4, 1.3, 1.2, 1.1]]),
            fits.Column("psf_nstar", "5J", array=[[25, 46, 47, 49, 40]]),
            fits.Column("gain", "5E", array=[frame.gain]),
            fits.Column("dark_variance", "5E", array=[frame.dark_variance]),
        ]
    )
    return _write(path, _primary(RUN=frame.run, FILTERS="u g r i z"), *tables, field_table)


ASTRANS_COLUMNS = ("a", "b", "c", "d", "e", "f", *(f"d{axis}{i}" for axis in ("Row", "Col") for i in range(4)))


def astrans_row(frame: Frame, camcol: int, band: str, field_number: int) -> dict[str, float]:
    """Numbers of one field, different for every camcol, filter and field."""
    place = camcol + 10 * BANDS.index(band)
    return {
        "a": 350.0 + 0.15 * field_number + 0.001 * place,
        "b": 1.1e-4,
        "c": 2e-8,
        "d": 0.2 * camcol,
        "e": 1e-8,
        "f": 1.1e-4,
        "dRow0": -0.02,
        "dRow1": 8e-5,
        "dRow2": -8e-8,
        "dRow3": 2e-11,
        "dCol0": -0.08,
        "dCol1": 7e-4,
        "dCol2": -9e-7,
        "dCol3": 3e-10,
    }


def write_astrans(path: Path, frame: Frame, inclination: float = 10.0) -> Path:
    numbers = [frame.field - 1, frame.field, frame.field + 1]
    tables = []
    for camcol in range(1, 7):
        for band in ASTRANS_FILTERS.split():
            rows = [astrans_row(frame, camcol, band, number) for number in numbers]
            columns = [fits.Column("field", "1J", array=numbers)]
            columns += [fits.Column(name, "1D", array=[row[name] for row in rows]) for name in ASTRANS_COLUMNS]
            tables.append(fits.BinTableHDU.from_columns(columns))
    head = _primary(RUN=frame.run, NODE=95.0, INCL=inclination, CAMCOLS="1 2 3 4 5 6", FILTERS=ASTRANS_FILTERS)
    return _write(path, head, *tables)


def write_tsfield(path: Path, frame: Frame) -> Path:
    values = {
        "gain": frame.gain,
        "dark_variance": frame.dark_variance,
        "aa": frame.aa,
        "kk": (0.46, 0.14, 0.07, 0.05, 0.03),
        "sky": (1.5e-9, 2.2e-9, 4.7e-9, 7.9e-9, 2.3e-8),
    }
    columns = [
        fits.Column("field", "1J", array=[frame.field]),
        fits.Column("mjd", "5D", array=[[51076.25] * 5]),
        fits.Column("airmass", "5D", array=[[1.18] * 5]),
        fits.Column("saturation_level", "5J", array=[[60349, 50065, 43653, 23653, 62990]]),
    ]
    columns += [fits.Column(name, "5E", array=[value]) for name, value in values.items()]
    return _write(path, _primary(RUN=frame.run, FILTERS="u g r i z"), fits.BinTableHDU.from_columns(columns))


WRITERS = {
    "fpC": write_fpc,
    "fpM": write_fpm,
    "psField": write_psfield,
    "asTrans": write_astrans,
    "tsField": write_tsfield,
}


def write_repository(root: Path, *frames: Frame) -> Path:
    """Write a second-generation LSST repository with the files of the frames."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "_mapper").write_text("lsst.obs.sdss.sdssMapper.SdssMapper\n")
    with sqlite3.connect(root / "registry.sqlite3") as connection:
        connection.execute(
            "CREATE TABLE raw (id INTEGER PRIMARY KEY AUTOINCREMENT, run INT, rerun INT, filter TEXT, camcol INT,"
            " field INT, taiObs TEXT, strip TEXT)"
        )
        for frame in frames:
            for kind, write in WRITERS.items():
                write(frame.path(root, kind), frame)
            row = (frame.run, frame.rerun, frame.band, frame.camcol, frame.field, "1998-09-20T06:00:51.73", "82S")
            connection.execute(
                "INSERT INTO raw (run, rerun, filter, camcol, field, taiObs, strip) VALUES (?, ?, ?, ?, ?, ?, ?)", row
            )
    connection.close()
    return root
