"""Cameras whose raw file is one image of one or more amplifiers: spectrographs and older controllers.

Keywords and the ways in which they are used are those of the observatories; values and sizes are made up.
"""

from camera_frames import ROWS, Amp, Camera, Image, wide_section

LRIS = Camera(
    "lrisold",
    [
        ("TELESCOP", "Keck I"),
        ("INSTRUME", "LRISBLUE"),
        ("DATE-OBS", "2004-02-18"),
        ("UT", "09:12:33.10"),
        ("TTIME", 300, "Total integration time"),
        ("BLUFILT", "g"),
        ("OBJECT", "NGC 2403"),
        ("FRAMENO", 45),
        ("RA", "10:00:00.0"),
        ("DEC", "+65:00:00"),
        ("NVIDINP", 4),
        ("PREPIX", 8),
        ("POSTPIX", 16),
        ("AMPPSIZE", "[1:64,1:64]"),
        ("BINNING", "1,1"),
    ],
    (
        Image(
            [],
            (352, ROWS),
            tuple(
                Amp(
                    wide_section(33 + 64 * n, 96 + 64 * n),
                    wide_section(289 + 16 * n, 304 + 16 * n),
                    wide_section(1 + 64 * n, 64 + 64 * n),
                    gain=1.5 + 0.1 * n,
                    bias=900 + 50 * n,
                    others=(wide_section(1 + 8 * n, 8 + 8 * n),),
                    gain_is_told=False,
                )
                for n in range(4)
            ),
        ),
    ),
    {
        "date_begin": "2004-02-18T09:12:33.100",
        "exposure_time": 300.0,
        "filter": "g",
        "object": "NGC 2403",
        "boresight_ra": 150.0,
        "image_type": None,
    },
    in_primary=True,
)


_ESO = [
    ("TELESCOP", "ESO-VLT-U1"),
    ("INSTRUME", "FORS2"),
    ("DATE-OBS", "2011-07-08T01:02:03.4567"),
    ("UTC", 3720.0, "01:02:00.000 UTC at start (sec)"),
    ("MJD-OBS", 55750.04309564, "Obs start 2011-07-08T01:02:03.4567"),
    ("EXPTIME", 90.0, "Total integration time"),
    ("RA", 83.822, "05:35:17.2 RA (J2000) pointing (deg)"),
    ("DEC", -5.391, "-05:23:27.6 DEC (J2000) pointing (deg)"),
    ("OBJECT", "Trapezium"),
    ("ESO DPR CATG", "SCIENCE"),
    ("ESO DPR TYPE", "OBJECT"),
    ("ESO INS FILT1 NAME", "R_SPECIAL"),
    ("ESO TEL AIRM START", 1.101),
    ("ESO TPL EXPNO", 1),
]


FORS2 = Camera(
    "forsone",
    [
        *_ESO,
        ("ESO DET OUTPUTS", 1),
        ("ESO DET OUT1 X", 1),
        ("ESO DET OUT1 Y", 1),
        ("ESO DET OUT1 NX", 96),
        ("ESO DET OUT1 NY", 64),
        ("ESO DET OUT1 PRSCX", 0),
        ("ESO DET OUT1 PRSCY", 5),
        ("ESO DET OUT1 OVSCX", 0),
        ("ESO DET OUT1 OVSCY", 7),
        ("ESO DET OUT1 CONAD", 1.43, "Conversion from ADUs to electrons"),
        ("ESO DET OUT1 RON", 5.7, "Readout noise per output (e-)"),
        ("ESO DET OUT1 GAIN", 0.7),
    ],
    (Image([], (96, 76), (Amp("[1:96,6:69]", "[1:96,70:76]", "[1:96,1:64]", gain=1.43),)),),
    {
        "date_begin": "2011-07-08T01:02:03.457",
        "exposure_time": 90.0,
        "filter": "R_SPECIAL",
        "image_type": "science",
        "airmass": 1.101,
        "boresight_ra": 83.822,
    },
    in_primary=True,
)


FORS1 = Camera(
    "forsfour",
    [
        *_ESO,
        ("ESO DET OUTPUTS", 4),
        *(
            card
            for n in range(4)
            for card in (
                (f"ESO DET OUT{n + 1} X", 1 if n in (0, 3) else 2048),
                (f"ESO DET OUT{n + 1} Y", 1 if n < 2 else 2048),
                (f"ESO DET OUT{n + 1} NX", 48),
                (f"ESO DET OUT{n + 1} NY", 40),
                (f"ESO DET OUT{n + 1} PRSCX", 8),
                (f"ESO DET OUT{n + 1} OVSCX", 8),
                (f"ESO DET OUT{n + 1} CONAD", 1.5 + 0.05 * n, "e-/ADU"),
            )
        ),
    ],
    (
        Image(
            [],
            (128, 80),
            tuple(
                Amp(
                    f"[{9 if left else 73}:{56 if left else 120},{1 if low else 41}:{40 if low else 80}]",
                    f"[{57 if left else 65}:{64 if left else 72},{1 if low else 41}:{40 if low else 80}]",
                    f"[{1 if left else 49}:{48 if left else 96},{1 if low else 41}:{40 if low else 80}]",
                    gain=1.5 + 0.05 * n,
                    bias=200 + 40 * n,
                    others=(f"[{1 if left else 121}:{8 if left else 128},{1 if low else 41}:{40 if low else 80}]",),
                )
                for n, (left, low) in enumerate([(True, True), (False, True), (False, False), (True, False)])
            ),
        ),
    ),
    {"exposure_time": 90.0},
    in_primary=True,
)


GOODMAN = Camera(
    "goodman",
    [
        ("TELESCOP", "SOAR 4.1m"),
        ("INSTRUME", "Goodman Spectro"),
        ("DATE-OBS", "2017-08-09T03:04:05.678"),
        ("EXPTIME", 5.0, "Exposure time (s)"),
        ("OBSTYPE", "OBJECT"),
        ("OBJECT", "PG 2213"),
        ("FILTER", "<NO FILTER>"),
        ("FILTER2", "SDSS-r"),
        ("GAIN", 1.48, "electrons/adu"),
        ("RDNOISE", 3.89, "electrons"),
        ("CCDSUM", "2 2"),
        ("PARAM18", 2, "Serial Binning,Pixels"),
        ("TRIMSEC", "[1:96,1:64]"),
    ],
    (Image([], (112, ROWS), (Amp("[1:96,1:64]", "[97:112,1:64]", "[1:96,1:64]", gain=1.48),)),),
    {"exposure_time": 5.0, "filter": "SDSS-r", "binning": (2, 2), "image_type": "science"},
    in_primary=True,
)


DOLORES = Camera(
    "dolores",
    [
        ("TELESCOP", "TNG"),
        ("INSTRUME", "LRS"),
        ("DATE-OBS", "2009-10-11"),
        ("EXPSTART", "22:23:24.5"),
        ("EXPTIME", 30.0),
        ("FLT_ID", "r sdss"),
        ("OBS-TYPE", "OBJECT"),
        ("OBJCAT", "SA 92"),
        ("CCDSUM", "1 1"),
    ],
    (Image([], (116, ROWS), (Amp("[1:96,1:64]", "[97:116,1:64]", "[1:96,1:64]", gain_is_told=False),)),),
    {"date_begin": "2009-10-11T22:23:24.500", "exposure_time": 30.0, "filter": "r sdss", "image_type": "science"},
    in_primary=True,
)


OSMOS = Camera(
    "osmos",
    [
        ("TELESCOP", "McGraw-Hill"),
        ("INSTRUME", "OSMOS"),
        ("DATE-OBS", "2012-03-04"),
        ("TIME-OBS", "05:06:07.8"),
        ("EXPTIME", 60.0),
        ("FILTID1", "Open"),
        ("FILTID2", "R"),
        ("IMAGETYP", "OBJECT"),
        ("OBJECT", "Landolt"),
        ("OVERSCNX", 16),
        ("CCDXBIN", 1),
        ("CCDYBIN", 1),
    ],
    (
        Image(
            [],
            (160, 80),
            tuple(
                Amp(
                    f"[{17 if left else 81}:{80 if left else 144},{1 if low else 41}:{40 if low else 80}]",
                    f"[{1 if left else 145}:{16 if left else 160},{1 if low else 41}:{40 if low else 80}]",
                    f"[{1 if left else 65}:{64 if left else 128},{1 if low else 41}:{40 if low else 80}]",
                    bias=1000 + 400 * left + 130 * low,
                    gain=2.2 + 0.3 * left,
                    gain_is_told=False,
                )
                for left, low in [(True, True), (True, False), (False, True), (False, False)]
            ),
        ),
    ),
    {"exposure_time": 60.0, "filter": "R", "image_type": "science"},
    in_primary=True,
)


DBSP = Camera(
    "dbsp",
    [
        ("TELESCOP", "Hale 200 inch"),
        ("INSTRUME", "DBSP"),
        ("UTSHUT", "2014-05-06T07:08:09.1", "UTC at shutter open"),
        ("EXPTIME", "300.0"),
        ("IMGTYPE", "object"),
        ("OBJECT", "Feige 34"),
        ("GAIN", 0.72, "e-/DN"),
        ("RON", 6.5, "e-"),
        ("TSEC1", "[1:96,1:64]"),
        ("BSEC1", "[97:112,1:64]"),
        ("CCDSUM", "1 1"),
    ],
    (Image([], (112, ROWS), (Amp("[1:96,1:64]", "[97:112,1:64]", "[1:96,1:64]", gain=0.72),)),),
    {"date_begin": "2014-05-06T07:08:09.100", "exposure_time": 300.0, "image_type": "science"},
    in_primary=True,
)


def _arcon(n):
    x, y = n % 2, n // 2
    rows = f"{1 + 50 * y}:{50 + 50 * y}"
    return Amp(
        f"[{(3, 103)[x]}:{(66, 166)[x]},{rows}]",
        f"[{(67, 85)[x]}:{(84, 102)[x]},{rows}]",
        f"[{1 + 64 * x}:{64 + 64 * x},{rows}]",
        gain=3.1 + 0.1 * x + 0.05 * y,
        bias=1000 + 100 * x + 50 * y,
    )


ARCON = Camera(
    "arcon",
    [
        ("TELESCOP", "CTIO 0.9 meter telescope"),
        ("INSTRUME", "cfccd"),
        ("DATE-OBS", "1999-05-06T07:08:09.0"),
        ("UT", "07:08:09.0"),
        ("EXPTIME", 30.0),
        ("FILTER1", "dia"),
        ("FILTER2", "v"),
        ("FILTERS", "dia v"),
        ("IMAGETYP", "OBJECT"),
        ("OBJECT", "M 13"),
        ("CCDSUM", "1 1"),
        ("AMPLIST", "11 12 21 22"),
        *(
            card
            for n, label in enumerate(("11", "12", "21", "22"))
            for amp in [_arcon(n)]
            for card in (
                (f"BSEC{label}", amp.overscan),
                (f"CSEC{label}", amp.put),
                (f"DSEC{label}", amp.data),
                (f"TSEC{label}", amp.data),
                (f"GTGAIN{label}", amp.gain, "gain (e/ADU)"),
                (f"GTRON{label}", 6.0, "read noise (e)"),
            )
        ),
    ],
    (Image([], (168, 100), tuple(_arcon(n) for n in range(4))),),
    {"exposure_time": 30.0, "filter": "dia v", "date_begin": "1999-05-06T07:08:09.000"},
    in_primary=True,
)
