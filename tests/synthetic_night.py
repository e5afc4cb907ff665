"""Metrics of nights whose truth is known, as the processing would have measured them, without pixels."""

import math
from datetime import datetime, timedelta

import numpy as np

ZERO_POINT, DARK_SKY, SCALE, AREA = 25.0, 21.0, 0.5, 0.25
FIRST = 59000.1


def frame(visit, *, random, seeing=1.5, clear=1.0, sky=DARK_SKY, light=1.0, e=0.03, hours=None, **more):
    """Return the row of a detector image.

    ``clear`` is the transparency, ``sky`` the brightness of the sky above the atmosphere's losses, ``light`` the part
    of all light that the shutter lets in, ``e`` the ellipticity that all stars share.
    """
    seconds, gain, read_noise = 60.0, 1.0, 5.0
    seeing *= 1 + random.normal(0, 0.03)
    clear *= 1 + random.normal(0, 0.01)
    rate = light * 10 ** (-0.4 * (sky + random.normal(0, 0.03) - ZERO_POINT)) * AREA
    zero_rate = ZERO_POINT + 2.5 * math.log10(clear * light) if clear * light > 0 else None
    sigma = seeing / 2.3548 / SCALE
    noise = math.sqrt(max(rate * seconds * gain, 0.0) + read_noise**2) / gain
    zero = None if zero_rate is None else zero_rate + 2.5 * math.log10(seconds)
    depth = None if zero is None else zero - 2.5 * math.log10(5 * noise * sigma * math.sqrt(4 * math.pi))
    stars = 0 if depth is None else round(400 * 10 ** (0.3 * (depth - 22.0)) * (1 + random.normal(0, 0.03)))
    mjd = FIRST + (visit * 90 / 86400 if hours is None else hours / 24)
    row = {
        "visit": visit,
        "ccd": 1,
        "filter": "r",
        "object": "M 67",
        "detector_name": "n1",
        "status": "done",
        "data_id": f"visit={visit} filter=r ccd=1",
        "mjd": mjd,
        "date": (datetime(1858, 11, 17) + timedelta(days=mjd)).isoformat(timespec="milliseconds"),
        "exposure_time": seconds,
        "airmass": 1.2,
        "ra": 132.8,
        "dec": 11.8,
        "seeing": seeing if stars else None,
        "fwhm": seeing / SCALE if stars else None,
        "psf_concentration": 1.1,
        "halo": 0.4,
        "halo_error": 0.6,
        "star_e": math.hypot(e, 0.03) if stars else None,
        "star_e_coherent": e if stars else None,
        "star_angle": 20.0 if stars else None,
        "sky": None if zero is None else zero - 2.5 * math.log10(rate * seconds / AREA),
        "sky_rate": rate,
        "sky_level": rate * seconds,
        "sky_gradient": abs(random.normal(2, 0.5)),
        "noise_ratio": random.normal(1, 0.02),
        "depth": depth,
        "zero_point": zero,
        "zero_point_rate": zero_rate,
        "zp_scatter": 0.015 if zero else None,
        "zp_n_stars": stars // 4 if zero else None,
        "n_stars": stars,
        "n_sources": 3 * stars,
        "stars_expected": 0.97 if stars else None,
        "astrom_scatter": random.normal(60, 3) if stars else None,
        "astrom_matched": 0.9 if stars else None,
        "pointing_error": 3.0 if stars else None,
        "pointing_share": 0.005 if stars else None,
        "zp_trend": 0.0,
        "psf_minus_aperture": 0.002,
        "color_term": random.normal(0, 0.01),
        "read_noise": random.normal(5, 0.02),
        "cosmic_rays": 5.0,
        "sky_bimodal": 0.0,
        "double_images": 0.0,
        "flat_age": 3.0,
        "masked": 0.5,
        "saturated": 0.1,
        "amp_dead": 0,
        "sun_altitude": -40.0,
        "moon_altitude": -20.0,
        "moon_phase": 60.0,
        "moon_separation": 90.0,
        "moon_sky": 0.0,
        "details": {"reasons": {}, "warnings": [], "psf": "stars"},
    }
    return row | more


def night(number=20, seed=1, change=None, first=1):
    """Return the rows of a night; ``change`` returns what is special of a frame, by its number."""
    random = np.random.default_rng(seed)
    return [frame(first + i, random=random, **(change(i) if change else {})) for i in range(number)]


def mosaic(visits, names, seed=1):
    """Return rows of a good night of many detectors, which have these names."""
    random = np.random.default_rng(seed)
    rows = []
    for visit in range(1, visits + 1):
        base = frame(visit, random=random)
        for ccd, name in enumerate(names):
            scatter = 1 + random.normal(0, 0.02)
            rows.append(
                base
                | {"ccd": ccd, "data_id": f"visit={visit} filter=r ccd={ccd}", "detector_name": name}
                | {"seeing": base["seeing"] * scatter, "depth": base["depth"] + random.normal(0, 0.02)}
            )
    return rows
