"""Cameras in the conventions of many observatories, each small, with what has to be found in its raw frame.

Keywords and the ways in which they are used are those of the observatories; values and sizes are made up.
"""

from camera_frames import Amp, Camera, Image

ROWS = 64


def _sections(**sections):
    return list(sections.items())


def _wide(first, last, rows=ROWS):
    return f"[{first}:{last},1:{rows}]"


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
                    _wide(33 + 64 * n, 96 + 64 * n),
                    _wide(289 + 16 * n, 304 + 16 * n),
                    _wide(1 + 64 * n, 64 + 64 * n),
                    gain=1.5 + 0.1 * n,
                    bias=900 + 50 * n,
                    others=(_wide(1 + 8 * n, 8 + 8 * n),),
                    known=("data", "overscan", "put"),
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
                    _wide(1 + 64 * n, 64 + 64 * n),
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

DEIMOS = Camera(
    "deimos",
    [
        ("TELESCOP", "Keck II"),
        ("INSTRUME", "DEIMOS"),
        ("DATE-OBS", "2010-03-04"),
        ("UTC", "08:09:10.11"),
        ("ELAPTIME", 120),
        ("DWFILNAM", "R"),
        ("OBSTYPE", "Object"),
        ("OBJECT", "slitmask 7"),
        ("FRAMENO", 77),
        ("POSTPIX", 16),
        ("PRECOL", 12),
        ("BINNING", "1,1"),
    ],
    tuple(
        Image(
            [
                ("CCDLOC", n + 1),
                ("DATASEC", "[13:76,1:64]"),
                ("DETSEC", [f"[{64 * n + 64}:{64 * n + 1},1:64]", f"[{64 * n + 1}:{64 * n + 64},1:64]"][n % 2]),
                ("GAIN", 1.2 + 0.05 * n, "[e-/DN]"),
            ],
            (92, ROWS),
            (
                Amp(
                    "[13:76,1:64]",
                    "[77:92,1:64]",
                    "[1:64,1:64]",
                    gain=1.2 + 0.05 * n,
                    bias=1100 + 20 * n,
                    flip="" if n % 2 else "x",
                ),
            ),
            detector=n + 1,
        )
        for n in range(4)
    ),
    {
        "date_begin": "2010-03-04T08:09:10.110",
        "exposure_time": 120.0,
        "filter": "R",
        "image_type": "science",
        "detector": 1,
    },
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

MEGAPRIME = Camera(
    "megaprime",
    [
        ("TELESCOP", "CFHT 3.6m"),
        ("INSTRUME", "MegaPrime"),
        ("DATE-OBS", "2005-06-07"),
        ("UTC-OBS", "10:11:12.13"),
        ("EXPTIME", 40.02, "Measured integration time (seconds)"),
        ("FILTER", "r.MP9601"),
        ("OBSTYPE", "OBJECT"),
        ("OBJECT", "D3"),
        ("EXPNUM", 800123),
    ],
    tuple(
        Image(
            [
                ("EXTNAME", f"ccd{n:02d}"),
                ("EXTVER", n),
                ("CCDSUM", "1 1"),
                ("DATASEC", "[17:144,1:64]"),
                ("BIASSEC", "[0:0,0:0]"),
                ("ASECA", "[1:80,1:64]"),
                ("DSECA", "[17:80,1:64]"),
                ("TSECA", "[17:80,1:64]"),
                ("BSECA", "[1:16,1:70]"),
                ("CSECA", "[1:64,1:64]"),
                ("ASECB", "[81:160,1:64]"),
                ("DSECB", "[81:144,1:64]"),
                ("TSECB", "[81:144,1:64]"),
                ("BSECB", "[145:160,1:70]"),
                ("CSECB", "[65:128,1:64]"),
                ("GAIN", 1.62, "Converting gain (e-/ADU) = Average [A,B] amps"),
                ("GAINA", 1.57, "Converting gain of A amplifier (e-/ADU)"),
                ("GAINB", 1.67, "Converting gain of B amplifier (e-/ADU)"),
                ("RDNOISEA", 5, "Read noise (electrons) A amplifier"),
            ],
            (160, 70),
            (
                Amp("[17:80,1:64]", "[1:16,1:70]", "[1:64,1:64]", gain=1.57, bias=1200, others=("[17:80,65:70]",)),
                Amp(
                    "[81:144,1:64]", "[145:160,1:70]", "[65:128,1:64]", gain=1.67, bias=1150, others=("[81:144,65:70]",)
                ),
            ),
            detector=n,
        )
        for n in range(3)
    ),
    {
        "date_begin": "2005-06-07T10:11:12.130",
        "exposure_time": 40.02,
        "filter": "r.MP9601",
        "image_type": "science",
        "visit": 800123,
        "detector": 0,
    },
)

DECAM = Camera(
    "decam",
    [
        ("TELESCOP", "CTIO 4.0-m telescope"),
        ("INSTRUME", "DECam"),
        ("DATE-OBS", "2013-09-01T06:02:55.753848"),
        ("EXPTIME", 200.0, "[s] Exposure duration"),
        ("EXPNUM", 229388),
        ("FILTER", "z DECam SDSS c0004 9260.0 1520.0"),
        ("OBSTYPE", "object"),
        ("OBJECT", "SN-S1"),
        ("RA", "02:51:16.686", "[HH:MM:SS] Target RA"),
        ("DEC", "-00:00:04.698"),
        ("DTCALDAT", "2013-08-31"),
    ],
    tuple(
        Image(
            [
                ("EXTNAME", name),
                ("CCDNUM", number),
                ("DETPOS", name),
                ("DATASEC", "[21:148,9:72]"),
                ("TRIMSEC", "[21:148,9:72]"),
                ("DATASECA", "[85:148,9:72]"),
                ("BIASSECA", "[149:164,9:72]"),
                ("PRESECA", "[165:168,9:72]"),
                ("POSTSECA", "[85:148,1:8]"),
                ("CCDSECA", "[65:128,1:64]"),
                ("AMPSECA", "[128:65,64:1]"),
                ("DETSECA", f"[{200 * number + 65}:{200 * number + 128},1:64]"),
                ("DATASECB", "[21:84,9:72]"),
                ("BIASSECB", "[5:20,9:72]"),
                ("PRESECB", "[1:4,9:72]"),
                ("POSTSECB", "[21:84,1:8]"),
                ("CCDSECB", "[1:64,1:64]"),
                ("AMPSECB", "[1:64,64:1]"),
                ("DETSECB", f"[{200 * number + 1}:{200 * number + 64},1:64]"),
                ("DETSEC", f"[{200 * number + 1}:{200 * number + 128},1:64]"),
                ("GAINA", 4.6, "[electrons/adu] Gain for amp A"),
                ("GAINB", 4.4, "[electrons/adu] Gain for amp B"),
                ("RDNOISEA", 7.2, "[electrons] Read noise for amp A"),
                ("SATURATA", 43266.0, "[adu] Saturation for amp A"),
            ],
            (168, 72),
            (
                Amp("[85:148,9:72]", "[149:164,9:72]", "[65:128,1:64]", gain=4.6, bias=1500, others=("[85:148,1:8]",)),
                Amp("[21:84,9:72]", "[5:20,9:72]", "[1:64,1:64]", gain=4.4, bias=1700, others=("[21:84,1:8]",)),
            ),
            detector=number,
        )
        for name, number in (("S29", 1), ("N4", 2))
    ),
    {
        "date_begin": "2013-09-01T06:02:55.754",
        "observing_day": "2013-08-31",
        "exposure_time": 200.0,
        "image_type": "science",
        "visit": 229388,
        "detector": 1,
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

WFC = Camera(
    "wfc",
    [
        ("TELESCOP", "INT"),
        ("INSTRUME", "WFC"),
        ("RUN", 345678),
        ("DATE-OBS", "2002-10-11"),
        ("UTSTART", "21:22:23.4"),
        ("EXPTIME", 600.0),
        ("WFFBAND", "r"),
        ("WFFPSYS", "RGO"),
        ("OBSTYPE", "TARGET"),
        ("OBJECT", "field 7"),
        ("CAT-RA", "01:00:00"),
        ("CCDXBIN", 1),
        ("CCDYBIN", 1),
        ("RA", "01:00:00.0"),
        ("DEC", "+20:00:00.0"),
    ],
    tuple(
        Image(
            [
                ("CHIPNAME", f"A5506-{n}"),
                ("IMAGEID", n),
                ("BIASSEC", "[1:16,1:64]"),
                ("TRIMSEC", "[17:112,1:64]"),
                ("RTDATSEC", "[17:112,1:64]"),
                ("GAIN", 2.8, "Nominal Photo-electrons per ADU."),
                ("READNOIS", 6.4, "Nominal Readout Noise in electrons."),
            ],
            (112, ROWS),
            (Amp("[17:112,1:64]", "[1:16,1:64]", "[1:96,1:64]", gain=2.8),),
            detector=n,
        )
        for n in (1, 2, 3, 4)
    ),
    {
        "date_begin": "2002-10-11T21:22:23.400",
        "exposure_time": 600.0,
        "filter": "r",
        "image_type": "science",
        "detector": 1,
        "visit": 345678,
    },
)

ALFOSC = Camera(
    "alfosc",
    [
        ("TELESCOP", "NOT"),
        ("INSTRUME", "ALFOSC_FASU"),
        ("DATE-OBS", "2016-01-02T23:24:25.6"),
        ("EXPTIME", 12.0),
        ("ALFLTNM", "Open"),
        ("FAFLTNM", "B_Bes 440_100"),
        ("FBFLTNM", "Open"),
        ("IMAGETYP", "FLAT,SKY"),
        ("OBJECT", "Sky flat"),
        ("DETXBIN", 1),
        ("DETYBIN", 1),
        ("RA", 30.0, "Telescope RA in degrees"),
        ("DEC", 10.0),
        ("FILENAME", "ALyb020034.fits"),
    ],
    (
        Image(
            [
                ("GAIN", 0.327, "e-/ADU"),
                ("RDNOISE", 4.3, "e-"),
                ("DETWIN1", "[1:96,1:64]"),
                ("BIASSEC", "[97:112, 1:64]"),
                ("DATASEC", "[1:96, 1:64]"),
            ],
            (112, ROWS),
            (Amp("[1:96,1:64]", "[97:112,1:64]", "[1:96,1:64]", gain=0.327),),
        ),
    ),
    {"exposure_time": 12.0, "filter": "B_Bes 440_100", "image_type": "flat", "boresight_ra": 30.0},
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
    (Image([], (116, ROWS), (Amp("[1:96,1:64]", "[97:116,1:64]", "[1:96,1:64]", known=("data", "overscan", "put")),)),),
    {"date_begin": "2009-10-11T22:23:24.500", "exposure_time": 30.0, "filter": "r sdss", "image_type": "science"},
    in_primary=True,
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
                    known=("data", "overscan", "put"),
                )
                for left, low in [(True, True), (True, False), (False, True), (False, False)]
            ),
        ),
    ),
    {"exposure_time": 60.0, "filter": "R", "image_type": "science"},
    in_primary=True,
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
    (Image([], (96, 64), (Amp("[1:96,1:64]", "", "[1:96,1:64]", known=("data", "put")),)),),
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
    (Image([], (112, ROWS), (Amp("[17:112,1:64]", "[1:16,1:64]", "[1:96,1:64]", known=("data", "overscan", "put")),)),),
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
                Amp("[1:100,1:64]", "[101:120,1:64]", "[1:100,1:64]", bias=1000, known=("data", "overscan", "put")),
                Amp("[141:240,1:64]", "[121:140,1:64]", "[101:200,1:64]", bias=1300, known=("data", "overscan", "put")),
            ),
        ),
    ),
    {"exposure_time": 60.0},
    in_primary=True,
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
                (Amp("[1:96,1:64]", "", f"[{96 * n + 1}:{96 * n + 96},1:64]", gain=5.8),),
            )
            for n in range(4)
        ),
        *(Image([("EXTNAME", f"OVERSCAN{n}")], (12, ROWS), (Amp("[1:1,1:1]", "[1:12,1:64]"),), None) for n in range(4)),
    ),
    {"exposure_time": 30.0, "filter": "ZTF_r", "detector": 5},
    warnings=("HDU 5, 6, 7, 8",),
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

OMEGACAM = Camera(
    "omegacam",
    [
        ("TELESCOP", "ESO-VLT-VST"),
        ("INSTRUME", "OMEGACAM"),
        ("DATE-OBS", "2012-05-06T07:08:09.123"),
        ("MJD-OBS", 56053.29732781),
        ("EXPTIME", 30.0),
        ("ESO INS FILT1 NAME", "r_SDSS"),
        ("ESO DPR TYPE", "FLAT,SKY"),
        ("OBJECT", "FLAT,SKY"),
    ],
    tuple(
        Image(
            [
                ("EXTNAME", f"ESO_CCD_#{64 + n}"),
                ("ESO DET OUT1 NX", 96),
                ("ESO DET OUT1 NY", 64),
                ("ESO DET OUT1 PRSCX", 12),
                ("ESO DET OUT1 OVSCX", 12),
                ("ESO DET OUT1 OVSCY", 8),
                ("ESO DET OUT1 CONAD", 2.4, "electrons/ADU"),
            ],
            (120, 72),
            (
                Amp(
                    "[13:108,1:64]",
                    "[109:120,1:64]",
                    "[1:96,1:64]",
                    gain=2.4,
                    others=("[13:108,65:72]", "[1:12,1:72]"),
                ),
            ),
            detector=64 + n,
        )
        for n in (1, 2)
    ),
    {"exposure_time": 30.0, "filter": "r_SDSS", "image_type": "flat", "detector": 65},
)

CAMERAS = (
    KEPLERCAM,
    ARCON,
    OMEGACAM,
    LRIS,
    LRIS_EXTENSIONS,
    DEIMOS,
    GMOS,
    FORS2,
    FORS1,
    MEGAPRIME,
    DECAM,
    MOSAIC,
    GOODMAN,
    WFC,
    ALFOSC,
    DOLORES,
    SALT,
    OSMOS,
    BOK,
    DBSP,
    SUPRIME_OLD,
    SUPRIME_NEW,
    MAXIM,
    SHARPCAP,
    OLD_DATE,
    UNBINNED,
    MIDDLE,
    ZTF,
)
