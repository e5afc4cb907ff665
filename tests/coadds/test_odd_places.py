"""Coadds where coordinates are odd: at the pole, and where right ascension jumps from 360 to 0 degrees."""

import numpy as np
import pytest
from exposures import ANGLES, SCALE, SHAPE, ZERO_POINTS, make_exposure, make_repository

import obs
from obs.cli.main import main
from obs.coadds.inputs_table import read_coadd_psf
from obs.image.wcs import TanSipWcs

COADD = {"tract": 0, "patch": "0,0", "filter": "R"}
BRIGHT = (130.3, 120.8, 3e5)  # place on the first exposure, counts there


def exposures(center):
    """Two exposures of a star, the second turned and shifted, at another place of the sky."""
    result = []
    for index in (0, 2):
        exposure = make_exposure(index)
        angle = np.deg2rad(ANGLES[index])
        turn = np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = (SHAPE[1] / 2 + 6.3 * index, SHAPE[0] / 2 - 4.7 * index)
        exposure.wcs = TanSipWcs(center, middle, turn * SCALE / 3600)
        place = dict(
            zip(("ra", "dec"), (result or [exposure])[0].wcs.pixel_to_sky(x=BRIGHT[0], y=BRIGHT[1]), strict=True)
        )
        x, y = (float(value) for value in exposure.wcs.sky_to_pixel(**place))
        light = BRIGHT[2] * 10 ** (0.4 * (ZERO_POINTS[index] - ZERO_POINTS[0]))
        low, left = round(y) - 12, round(x) - 12
        exposure.masked_image.image[low : low + 25, left : left + 25] += light * exposure.psf.render(x=[x], y=[y])[0]
        result.append(exposure)
    return result


@pytest.mark.parametrize(
    "center", [(10.0, 90.0), (0.0, -3.0), (200.0, -89.995)], ids=["north pole", "RA 0", "south pole"]
)
def test_a_star_is_where_it_was_with_its_flux(center, tmp_path, capsys):
    made = exposures(center)
    out = make_repository(tmp_path, made)
    assert main(["skymap", "make", str(out), "--discrete", "-c", f"pixel_scale={SCALE}"]) == 0
    assert main(["coadd", str(out)]) == 0
    assert "left out" not in capsys.readouterr().err
    butler = obs.Butler(out)
    coadd = butler.get("deepCoadd", COADD)
    place = dict(zip(("ra", "dec"), made[0].wcs.pixel_to_sky(x=BRIGHT[0], y=BRIGHT[1]), strict=True))
    x, y = (float(value) for value in coadd.wcs.sky_to_pixel(**place))
    assert butler.get("deepCoadd_nImage", COADD)[round(y), round(x)] == 2
    stamp = read_coadd_psf(butler, **COADD).render(x=[x], y=[y])[0]
    half = stamp.shape[0] // 2
    pixels = coadd.masked_image.image[round(y) - half : round(y) + half + 1, round(x) - half : round(x) + half + 1]
    flux = np.sum(stamp * pixels) / np.sum(stamp**2)
    # two exposures have a hundred faint sources and the noise of 3 to 5 counts beside 3e5
    assert flux == pytest.approx(BRIGHT[2] * 10 ** (0.4 * (27 - ZERO_POINTS[0])), rel=0.01)
    assert main(["where", str(out), f"{float(place['ra'])},{float(place['dec'])}"]) == 0
    shown = capsys.readouterr().out
    assert "tract=0" in shown
    assert shown.count("visit=") == 2
