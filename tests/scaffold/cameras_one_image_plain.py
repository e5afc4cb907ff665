"""Cameras whose raw file is one image: Subaru's, amateurs', and some that say little.

Keywords and the ways in which they are used are those of the observatories; values and sizes are made up.
"""

from camera_frames import ROWS, Amp, Camera, Image

_SUBARU = [
    ("TELESCOP", "Subaru"),
    ("INSTRUME", "SuprimeCam"),
    ("DATE-OBS", "2009-08-07"),
    ("UT-STR", "08:02:27.204"),
    ("UT-END", "08:05:47.000"),
    ("MJD-STR", 55050.33503708),
    ("EXPTIME", 200.0, "[s] Total integration time of the frame"),
    ("FILTER01", "W-S-R+"),
    ("DATA-TYP", "OBJECT"),
    ("OBJECT", "Ecliptic Field"),
    ("EXP-ID", "SUPE00535770"),
    ("DET-ID", 3),
    ("BIN-FCT1", 1),
    ("BIN-FCT2", 1),
    ("RA", "13:46:57.675"),
    ("DEC", "-10:43:59.49"),
]


SUPRIME_OLD = Camera(
    "suprimeold",
    [
        *_SUBARU,
        ("GAIN", 2.5, "[e-/ADU] CCD-gain"),
        ("EFP-MIN1", 17),
        ("EFP-RNG1", 96),
        ("EFP-MIN2", 1),
        ("EFP-RNG2", 64),
    ],
    (Image([], (112, ROWS), (Amp("[17:112,1:64]", "[1:16,1:64]", "[1:96,1:64]", gain=2.5),)),),
    {"exposure_time": 200.0, "filter": "W-S-R+", "detector": 3, "image_type": "science"},
    in_primary=True,
)


SUPRIME_NEW = Camera(
    "suprimenew",
    [
        *_SUBARU,
        *(
            card
            for n, (data, overscan) in enumerate([((1, 64), (65, 80)), ((97, 160), (81, 96))], 1)
            for card in (
                (f"S_EFMN{n}1", data[0]),
                (f"S_EFMX{n}1", data[1]),
                (f"S_EFMN{n}2", 9),
                (f"S_EFMX{n}2", 72),
                (f"S_OSMN{n}1", overscan[0]),
                (f"S_OSMX{n}1", overscan[1]),
                (f"S_OSMN{n}2", 1),
                (f"S_OSMX{n}2", 8),
                (f"S_GAIN{n}", 3.2 + 0.2 * n, "[e-/ADU] CCD-gain"),
            )
        ),
    ],
    (
        Image(
            [],
            (160, 72),
            (
                Amp("[1:64,9:72]", "[65:80,9:72]", "[1:64,1:64]", gain=3.4, bias=10000),
                Amp("[97:160,9:72]", "[81:96,9:72]", "[65:128,1:64]", gain=3.6, bias=10200, others=("[81:160,1:8]",)),
            ),
        ),
    ),
    {"date_begin": "2009-08-07T08:02:27.204", "exposure_time": 200.0, "detector": 3},
    in_primary=True,
)


_MAXIM = [
    ("INSTRUME", "Apogee Alta U47"),
    ("DATE-OBS", "2013-02-03T04:05:06", "[ISO 8601] UTC date/time of exposure start"),
    ("EXPTIME", 120.0, "[sec] Duration of exposure"),
    ("EXPOSURE", 120.0, "[sec] Duration of exposure"),
    ("SET-TEMP", -30.0),
    ("CCD-TEMP", -29.9),
    ("XPIXSZ", 26.0, "Pixel Width in microns (after binning)"),
    ("YPIXSZ", 26.0, "Pixel Height in microns (after binning)"),
    ("XBINNING", 2),
    ("YBINNING", 2),
    ("XORGSUBF", 0),
    ("FILTER", "Rc"),
    ("IMAGETYP", "Light Frame"),
    ("FOCALLEN", 2000.0, "Focal length of telescope in mm"),
    ("OBJCTRA", "10 00 00"),
    ("OBJCTDEC", "+20 00 00"),
    ("OBJECT", "M 66"),
    ("EGAIN", 1.3, "Electronic gain in e-/ADU"),
    ("SWCREATE", "MaxIm DL Version 5.18"),
]


MAXIM = Camera(
    "maxim",
    _MAXIM,
    (Image([], (96, 64), (Amp("[1:96,1:64]", "", "[1:96,1:64]", gain=1.3),)),),
    {
        "date_begin": "2013-02-03T04:05:06.000",
        "exposure_time": 120.0,
        "filter": "Rc",
        "image_type": "science",
        "binning": (2, 2),
        "pixel_size": 0.013,
        "pixel_scale": 2.6814,
        "boresight_ra": 150.0,
    },
    in_primary=True,
)


SHARPCAP = Camera(
    "sharpcap",
    [
        ("INSTRUME", "ZWO ASI294MC Pro"),
        ("DATE-OBS", "2021-02-03T04:05:06.1234567"),
        ("EXPTIME", 30.0, "[s] Exposure duration"),
        ("EXPOSURE", 30000, "[ms] Exposure duration"),
        ("XPIXSZ", 4.63, "[um] Pixel X axis size"),
        ("XBINNING", 1),
        ("YBINNING", 1),
        ("GAIN", 120, "Sensor gain"),
        ("OFFSET", 30, "Sensor gain offset"),
        ("BAYERPAT", "RGGB"),
        ("IMAGETYP", "LIGHT"),
        ("OBJECT", "M 42"),
        ("RA", 83.82, "[deg] RA of telescope"),
        ("DEC", -5.39, "[deg] Declination of telescope"),
    ],
    (Image([], (96, 64), (Amp("[1:96,1:64]", "", "[1:96,1:64]", gain_is_told=False),)),),
    {
        "date_begin": "2021-02-03T04:05:06.123",
        "exposure_time": 30.0,
        "image_type": "science",
        "filter": None,
    },
    in_primary=True,
    warnings=("BAYERPAT = RGGB",),
)


OLD_DATE = Camera(
    "olddate",
    [
        ("TELESCOP", "Danish 1.54"),
        ("INSTRUME", "DFOSC"),
        ("DATE-OBS", "23/12/97"),
        ("UT", "05:06:07.00", "UT at start of exposure"),
        ("EXPTIME", 60.0),
        ("FILTER", "V"),
        ("IMAGETYP", "OBJECT"),
        ("OBJECT", "SN 1997ek"),
        ("DATASEC", "[  17 : 112 ,   1 :  64 ]"),
        ("BIASSEC", "[   1 :  16 ,   1 :  64 ]"),
    ],
    (Image([], (112, ROWS), (Amp("[17:112,1:64]", "[1:16,1:64]", "[1:96,1:64]", gain_is_told=False),)),),
    {"date_begin": ("1997-12-23T05:06:07.000", "likely"), "exposure_time": 60.0},
    in_primary=True,
)


UNBINNED = Camera(
    "unbinned",
    [
        ("TELESCOP", "1.2m"),
        ("INSTRUME", "spicam"),
        ("DATE-OBS", "2001-02-03T04:05:06"),
        ("EXPTIME", 60.0),
        ("FILTER", "SDSS r"),
        ("IMAGETYP", "object"),
        ("OBJECT", "M 1"),
        ("XBINNING", 2),
        ("YBINNING", 2),
        ("DATASEC", "[1:192,1:128]"),
        ("BIASSEC", "[193:224,1:128]"),
        ("GAIN", 3.4, "e-/ADU"),
    ],
    (Image([], (112, ROWS), (Amp("[1:96,1:64]", "[97:112,1:64]", "[1:96,1:64]", gain=3.4),)),),
    {"exposure_time": 60.0, "binning": (2, 2)},
    in_primary=True,
)


MIDDLE = Camera(
    "middle",
    [
        ("TELESCOP", "1.0m"),
        ("INSTRUME", "e2v230"),
        ("DATE-OBS", "2018-02-03T04:05:06"),
        ("EXPTIME", 60.0),
        ("FILTER", "I"),
        ("IMAGETYP", "object"),
        ("OBJECT", "M 1"),
    ],
    (
        Image(
            [],
            (240, ROWS),
            (
                Amp("[1:100,1:64]", "[101:120,1:64]", "[1:100,1:64]", bias=1000, gain_is_told=False),
                Amp("[141:240,1:64]", "[121:140,1:64]", "[101:200,1:64]", bias=1300, gain_is_told=False),
            ),
        ),
    ),
    {"exposure_time": 60.0},
    in_primary=True,
)
