"""Cameras whose raw file has an extension for each detector.

Keywords and the ways in which they are used are those of the observatories; values and sizes are made up.
"""

from camera_frames import ROWS, Amp, Camera, Image

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
