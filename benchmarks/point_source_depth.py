"""How much fainter point sources can be that are found on deepCoadd_score, at an equal rate of false detections.

    python benchmarks/point_source_depth.py FOLDER [SEEING SEEING ...]

makes a coadd of exposures of 1,500 x 1,500 pixels with these seeings (arcsec; ten from 0.6 to 1.1 by default) and 650
faint stars on a grid, and prints for three detection images: the S/N of stars, and the share that is found at the
threshold above which 20 peaks are noise.
"""

import sys
from functools import partial
from pathlib import Path

import coadd
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.signal import oaconvolve

import obs
from obs.algorithms.pixels.smoothing import smooth
from obs.cli.main import main as run_obs
from obs.coadds.inputs_table import read_coadd_psf

SIZE, N_FALSE, REACH = 1500, 20, 4
SEEINGS = tuple(np.linspace(0.6, 1.1, 10).tolist())


def faint_field() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return x, y and magnitude of stars on a grid."""
    rng = np.random.default_rng(11)
    grid = np.stack(np.meshgrid(np.arange(26), np.arange(25)), -1).reshape(-1, 2) * 55.0 + 60
    places = grid + rng.uniform(-8, 8, grid.shape)
    return places[:, 0], places[:, 1], rng.uniform(23.2, 25.2, len(places))


def write(folder: Path, seeings: list[float]) -> None:
    """Write the exposures."""
    coadd.SHAPE, coadd.N_VISIT, coadd.TRAILS, coadd.HITS = (SIZE, SIZE), len(seeings), {}, -1
    coadd.field = faint_field
    obs.make_repository(folder / "DATA", obs.load_instrument("necam"))
    butler = obs.Butler(folder / "DATA", output=folder / "out")
    plain = coadd.moffat
    for number, seeing in enumerate(seeings):
        coadd.moffat = partial(_fixed, plain(seeing / coadd.SCALE))
        exposure, _ = coadd.make_visit(number)
        butler.put(exposure, "calexp", coadd.key(number))
        butler.put({"seeing": seeing}, "processCcd_metadata", coadd.key(number))


def _fixed(psf: obs.PixelPsf, _: float) -> obs.PixelPsf:
    return psf


def main() -> None:
    """Make the coadd and print the table."""
    folder, seeings = Path(sys.argv[1]), [float(word) for word in sys.argv[2:]] or list(SEEINGS)
    write(folder, seeings)
    out = str(folder / "out")
    tract = ["ra=[150.0]", "dec=[2.0]", "radius=[0.02]", "patch_width=1600", "patch_height=1600", "patch_border=0"]
    run_obs(["skymap", "make", out, "discrete", "-c", *tract, f"pixel_scale={coadd.SCALE}"])
    run_obs(["coadd", out, "-c", "point_source_image=true"])
    butler, data_id = obs.Butler(out), {"tract": 0, "patch": "0,0", "filter": "R"}
    exposure, score = butler.get("deepCoadd", data_id), butler.get("deepCoadd_score", data_id)
    count, psf = butler.get("deepCoadd_nImage", data_id), read_coadd_psf(butler, **data_id)
    image = np.where(np.isfinite(exposure.masked_image.image), exposure.masked_image.image, np.float32(0))
    middle = exposure.shape[1] / 2, exposure.shape[0] / 2
    stamp = psf.evaluate(x=[middle[0]], y=[middle[1]])[0]
    sigma = obs_psf_sigma(exposure, middle)
    maps = {
        "coadd, Gaussian": smooth(image, sigma).image,
        "coadd, its PSF": oaconvolve(image, stamp[::-1, ::-1], mode="same"),
        "deepCoadd_score": score.masked_image.image / np.sqrt(score.masked_image.variance),
    }
    x, y, magnitude = faint_field()
    sky = coadd.center_wcs().pixel_to_sky(x=x, y=y)
    x, y = exposure.wcs.sky_to_pixel(ra=sky[0], dec=sky[1])
    rows, columns = np.rint(y).astype(int), np.rint(x).astype(int)
    whole = count == count.max()
    near = np.zeros(image.shape, bool)
    near[rows, columns] = True
    near = maximum_filter(near, 41)
    first = None
    for name, values in maps.items():
        values = values / np.std(values[whole & ~near])
        peaks = (values == maximum_filter(values, 2 * REACH + 1)) & whole
        threshold = np.sort(values[peaks & ~near])[-N_FALSE]
        inner = whole[rows, columns]
        best = maximum_filter(values, 3)[rows[inner], columns[inner]]
        flux = 10 ** (-0.4 * (magnitude[inner] - 25.0))
        strength = np.sum(values[rows[inner], columns[inner]] * flux) / np.sum(flux**2)
        first = first or strength
        found = best > threshold
        shares = [f"{np.mean(found[abs(magnitude[inner] - m) <= 0.2]):.2f}" for m in (23.6, 24.0, 24.4, 24.8)]
        half = np.polynomial.polynomial.polyfit(magnitude[inner], found, 3)
        grid = np.linspace(23.4, 25.0, 321)
        at_half = grid[np.argmin(np.abs(np.polynomial.polynomial.polyval(grid, half) - 0.5))]
        gain = 2.5 * np.log10(strength / first)
        print(f"{name}: S/N at 25 mag {strength:.2f} ({gain:+.3f} mag), threshold {threshold:.2f}")
        print(f"  found at 23.6, 24.0, 24.4, 24.8 mag: {', '.join(shares)}; half at {at_half:.2f} mag")


def obs_psf_sigma(exposure: obs.Exposure, middle: tuple[float, float]) -> float:
    """Return the width of the Gaussian that obs coadd-catalog smooths a coadd with."""
    from obs.algorithms.measure.shape import psf_sigma  # noqa: PLC0415 - beside its only use

    return float(psf_sigma(exposure.psf, x=middle[0], y=middle[1]))


if __name__ == "__main__":
    main()
