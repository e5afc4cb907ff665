"""Cameras whose raw file has an extension for each amplifier.

Keywords and the ways in which they are used are those of the observatories; values and sizes are made up.
"""

from camera_frames import ROWS, Amp, Camera, Image, wide_section

LRIS_EXTENSIONS = Camera(
    "lrisnew",
    [
        ("TELESCOP", "Keck I"),
        ("INSTRUME", "LRISBLUE"),
        ("DATE-OBS", "2012-02-18"),
        ("UTC", "09:12:33.10"),
        ("ELAPTIME", 300),
        ("BLUFILT", "V"),
        ("OBJECT", "M 81"),
        ("PRECOL", 8),
        ("POSTPIX", 16),
        ("BINNING", "1,1"),
        ("NUMAMPS", 4),
    ],
    tuple(
        Image(
            [
                ("EXTNAME", f"VidInp{n + 1}"),
                ("DATASEC", "[9:72,1:64]"),
                ("DETSEC", f"[{64 * n + 64}:{64 * n + 1},1:64]" if n % 2 else f"[{64 * n + 1}:{64 * n + 64},1:64]"),
                ("CCDGAIN", 1.5 + 0.1 * n, "e-/DN"),
            ],
            (88, ROWS),
            (
                Amp(
                    "[9:72,1:64]",
                    "[73:88,1:64]",
                    wide_section(1 + 64 * n, 64 + 64 * n),
                    gain=1.5 + 0.1 * n,
                    bias=900 + 50 * n,
                    flip="x" if n % 2 else "",
                ),
            ),
        )
        for n in range(4)
    ),
    {"date_begin": "2012-02-18T09:12:33.100", "exposure_time": 300.0, "filter": "V", "object": "M 81"},
)


def _gmos(n):
    left = n % 2 == 0
    data, overscan = ("[1:64,1:64]", "[65:80,1:64]") if left else ("[17:80,1:64]", "[1:16,1:64]")
    return Image(
        [
            ("CCDNAME", f"EEV 9273-{n // 2 + 1}-04"),
            ("AMPNAME", f"EEV 9273-{n // 2 + 1}-04, {'left' if left else 'right'}"),
            ("CCDSUM", "2 2"),
            ("DATASEC", data),
            ("BIASSEC", overscan),
            ("CCDSEC", "[1:128,1:128]" if left else "[129:256,1:128]"),
            ("DETSEC", f"[{128 * n + 1}:{128 * n + 128},1:128]"),
            ("GAIN", 2.1 + 0.03 * n, "Amp gain [electrons per ADU]"),
            ("RDNOISE", 3.4, "[electrons] Readout noise"),
        ],
        (80, ROWS),
        (
            Amp(
                data,
                overscan,
                "[1:64,1:64]" if left else "[65:128,1:64]",
                gain=2.1 + 0.03 * n,
                bias=700 + 30 * n,
            ),
        ),
        detector=n // 2,
    )


GMOS = Camera(
    "gmos",
    [
        ("TELESCOP", "Gemini-North"),
        ("INSTRUME", "GMOS-N"),
        ("DATE-OBS", "2009-05-06"),
        ("TIME-OBS", "11:12:13.4"),
        ("UT", "11:12:13.4"),
        ("EXPTIME", 60.5, "Exposure time (s)"),
        ("FILTER1", "open1-6"),
        ("FILTER2", "g_G0301"),
        ("OBSTYPE", "OBJECT"),
        ("OBJECT", "PG 1323"),
        ("OBSID", "GN-2009A-Q-1-20"),
        ("RA", 201.4, "Target Right Ascension [degrees]"),
        ("DEC", -8.8),
        ("AIRMASS", 1.2),
    ],
    tuple(_gmos(n) for n in range(6)),
    {
        "date_begin": "2009-05-06T11:12:13.400",
        "exposure_time": 60.5,
        "filter": "g_G0301",
        "image_type": "science",
        "binning": (2, 2),
        "boresight_ra": 201.4,
    },
)


def _noao(n):
    chip, right = divmod(n, 2)
    data, overscan = ("[1:64,1:64]", "[65:80,1:64]") if not right else ("[17:80,1:64]", "[1:16,1:64]")
    return Image(
        [
            ("EXTNAME", f"im{n + 1}"),
            ("EXTVER", n + 1),
            ("IMAGEID", n + 1),
            ("CCDNAME", f"SITe #{chip + 1} (NOAO 0{chip})"),
            ("AMPNAME", f"SITe #{chip + 1}, {'right' if right else 'left'}"),
            ("CCDSUM", "1 1"),
            ("GAIN", 2.6 + 0.1 * n, "gain expected for amp (e-/ADU)"),
            ("RDNOISE", 5.7, "read noise expected for amp (e-)"),
            ("SATURATE", 41000, "Maximum good data value (ADU)"),
            ("BIASSEC", overscan),
            ("DATASEC", data),
            ("TRIMSEC", data),
            ("CCDSEC", "[65:128,1:64]" if right else "[1:64,1:64]"),
            ("AMPSEC", "[128:65,1:64]" if right else "[1:64,1:64]"),
            ("DETSEC", f"[{64 * n + 1}:{64 * n + 64},1:64]"),
            ("CTYPE1", "RA---TAN"),
            ("CTYPE2", "DEC--TAN"),
            ("CD1_1", 0.0),
            ("CD2_2", 0.0),
            ("CD1_2", 7.3e-5),
            ("CD2_1", 7.3e-5),
        ],
        (80, ROWS),
        (
            Amp(
                data,
                overscan,
                "[65:128,1:64]" if right else "[1:64,1:64]",
                gain=2.6 + 0.1 * n,
                bias=2000 + 100 * n,
            ),
        ),
        detector=chip,
    )


MOSAIC = Camera(
    "mosaic",
    [
        ("TELESCOP", "CTIO 4.0 meter telescope"),
        ("INSTRUME", "Mosaic2"),
        ("DATE-OBS", "2003-04-05T02:03:04.5"),
        ("TIME-OBS", "02:03:04.5"),
        ("EXPTIME", 15.0, "Exposure time (sec)"),
        ("FILTER", "V Harris c6026"),
        ("OBSTYPE", "dome flat"),
        ("OBJECT", "V dome"),
        ("PIXSCAL1", 0.27),
        ("RA", "12:00:00.0"),
        ("DEC", "-30:00:00.0"),
    ],
    tuple(_noao(n) for n in range(4)),
    {
        "date_begin": "2003-04-05T02:03:04.500",
        "exposure_time": 15.0,
        "filter": "V Harris c6026",
        "image_type": "flat",
        "pixel_scale": 0.2628,
    },
)


def _salt(n):
    chip, right = divmod(n, 2)
    data, overscan = ("[17:80,1:64]", "[1:16,1:64]") if not right else ("[1:64,1:64]", "[65:80,1:64]")
    return Image(
        [
            ("EXTNAME", "SCI"),
            ("EXTVER", n + 1),
            ("CCDSEC", "[129:256,1:256]" if right else "[1:128,1:256]"),
            ("AMPSEC", "[128:1,1:256]" if right else "[1:128,1:256]"),
            (
                "DETSEC",
                f"[{256 * chip + 128 * right + 1 + 20 * chip}:{256 * chip + 128 * right + 128 + 20 * chip},1:256]",
            ),
            ("DATASEC", data),
            ("BIASSEC", overscan),
            ("GAIN", 1.5 + 0.02 * n, "Nominal CCD gain (e-/ADU)"),
            ("RDNOISE", 5.2, "Nominal readout noise in e"),
        ],
        (80, ROWS),
        (Amp(data, overscan, "[65:128,1:64]" if right else "[1:64,1:64]", gain=1.5 + 0.02 * n, bias=600 + 9 * n),),
        detector=chip,
    )


SALT = Camera(
    "saltrss",
    [
        ("TELESCOP", "SALT"),
        ("INSTRUME", "RSS"),
        ("DATE-OBS", "2014-02-03"),
        ("TIME-OBS", "19:20:21.222"),
        ("EXPTIME", 45.157, "Exposure time"),
        ("FILTER", "PC00000"),
        ("CCDTYPE", "OBJECT"),
        ("OBSTYPE", "OBJECT"),
        ("OBJECT", "J1234"),
        ("CCDSUM", "2 4"),
        ("NCCDS", 3),
        ("NAMPS", 2),
    ],
    tuple(_salt(n) for n in range(6)),
    {"date_begin": "2014-02-03T19:20:21.222", "exposure_time": 45.157, "binning": (2, 4), "image_type": "science"},
)


def _bok(n):
    chip, amp = divmod(n, 4)
    right, top = amp % 2, amp // 2
    x, y = ("[128:65" if right else "[1:64"), (",128:65]" if top else ",1:64]")
    return Image(
        [
            ("EXTNAME", f"IM{n + 1}"),
            ("CCDNAME", f"CCD{chip + 1}"),
            ("CCDSUM", "1 1"),
            ("DATASEC", "[1:64,1:64]"),
            ("TRIMSEC", "[1:64,1:64]"),
            ("BIASSEC", "[65:80,1:64]"),
            ("CCDSEC", x + y),
            ("AMPSEC", "[1:64,1:64]"),
            ("GAIN", 1.3 + 0.05 * n, "gain e-/ADU"),
        ],
        (80, ROWS),
        (
            Amp(
                "[1:64,1:64]",
                "[65:80,1:64]",
                f"[{1 + 64 * right}:{64 + 64 * right},{1 + 64 * top}:{64 + 64 * top}]",
                gain=1.3 + 0.05 * n,
                bias=3000 + 11 * n,
                flip="x" * right + "y" * top,
            ),
        ),
        detector=chip,
    )


BOK = Camera(
    "bok",
    [
        ("TELESCOP", "bok90"),
        ("INSTRUME", "90prime"),
        ("DATE-OBS", "2015-01-02"),
        ("UT", "03:04:05.678"),
        ("EXPTIME", 100.0),
        ("FILTER", "g"),
        ("IMAGETYP", "object"),
        ("OBJECT", "BASS 1"),
    ],
    tuple(_bok(n) for n in range(8)),
    {"date_begin": "2015-01-02T03:04:05.678", "exposure_time": 100.0, "filter": "g", "image_type": "science"},
)


ZTF = Camera(
    "ztf",
    [
        ("TELESCOP", "P48"),
        ("INSTRUME", "ZTF/MOSAIC"),
        ("OBSMJD", 58300.25),
        ("DATE-OBS", "2018-07-01T06:00:00.000"),
        ("EXPTIME", 30.0),
        ("FILTER", "ZTF_r"),
        ("IMGTYPE", "object"),
        ("CCD_ID", 5),
        ("OBJECT", "field 600"),
    ],
    (
        *(
            Image(
                [("EXTNAME", str(n)), ("AMP_ID", n), ("GAIN", 5.8, "[e-/DN] gain")],
                (96, ROWS),
                (Amp("[1:96,1:64]", "", f"[{96 * n + 1}:{96 * n + 96},1:64]", gain=5.8, apart="[97:108,1:64]"),),
            )
            for n in range(4)
        ),
        *(Image([("EXTNAME", f"OVERSCAN{n}")], (12, ROWS), (Amp("[1:1,1:1]", "[1:12,1:64]"),), None) for n in range(4)),
    ),
    {"exposure_time": 30.0, "filter": "ZTF_r", "detector": 5},
    warnings=("no card says where the amplifiers are in the detector",),
)


def _quarter(n, own):
    right, top = n % 2, n // 2
    x, y = f"{128 * 2 * right + (not right)}:{128 + right}", f"{128 * 2 * top + (not top)}:{128 + top}"
    return Image(
        [
            *own,
            ("EXTNAME", f"im{n + 1}"),
            ("DATASEC", "[1:64,1:64]"),
            ("BIASSEC", "[65:80,1:64]"),
            ("DETSEC", f"[{x},{y}]"),
            ("GAIN", 2.1 + 0.1 * n, "e/ADU"),
        ],
        (80, ROWS),
        (
            Amp(
                "[1:64,1:64]",
                "[65:80,1:64]",
                f"[{1 + 64 * right}:{64 + 64 * right},{1 + 64 * top}:{64 + 64 * top}]",
                gain=2.1 + 0.1 * n,
                bias=900 + 100 * n,
                flip="x" * right + "y" * top,
            ),
        ),
    )


_KEPLERCAM = [
    ("TELESCOP", "1.2m"),
    ("INSTRUME", "KeplerCam"),
    ("DATE-OBS", "2010-05-06T07:08:09"),
    ("EXPTIME", 30.0),
    ("FILTER", "r"),
    ("IMAGETYP", "object"),
    ("OBJECT", "M 13"),
    ("CCDSUM", "2 2"),
]


KEPLERCAM = Camera(
    "keplercam",
    [("ORIGIN", "Whipple")],
    tuple(_quarter(n, _KEPLERCAM) for n in range(4)),
    {"exposure_time": 30.0, "filter": "r", "binning": (2, 2), "date_begin": "2010-05-06T07:08:09.000"},
)
"""Everything in the extensions, nothing in the primary header."""
