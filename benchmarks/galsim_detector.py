"""Render raw frames of one HSC detector with GalSim and a real header, process them, and compare with the truth.

    python benchmarks/galsim_detector.py FOLDER [--detector 50] [--header hsc] [--ending fits.fz] [--wcs model]
        [--profile moffat-3.5] [--cosmic-rays 0]

Nothing of the simulator is used: layout and amplifiers come from the published tables, headers from real frames, both
under ``../shared/data`` (``--data``). Stars are Moffat or Kolmogorov profiles, galaxies exponential discs, integrated
over pixels by GalSim; cosmic rays are straight tracks. ``--wcs`` says where sources are on the sky: ``model`` follows
the published focal plane and distortion, ``plane`` has no distortion, ``header`` takes the WCS of the header for that
of the pixels.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import galsim
import numpy as np
import yaml
from astropy.io import fits
from astropy.table import Table
from scipy.spatial import cKDTree

OBS = str(Path(sys.executable).with_name("obs"))
WIDTH, HEIGHT, RAW_SHAPE = 2048, 4176, (4241, 2144)
PIXEL, SKY, ZERO_POINT, DARK = 0.168, 2000.0, 30.6, 0.01
APERTURE = "base_CircularApertureFlux_12_0"
LAYOUT = ("SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "BZERO", "BSCALE", "BLANK")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open() as file:
        return list(csv.DictReader(file))


class Chip:
    """One detector as published, with gains, levels and sensitivity of its own."""

    def __init__(self, data: Path, number: int, random: np.random.Generator) -> None:
        self.place = rows_of(data / "facts/hsc_detectors.csv")[number]
        name = self.place["name"]
        self.amplifiers = [row for row in rows_of(data / "facts/hsc_amplifiers.csv") if row["detector"] == name]
        facts = yaml.safe_load((data / "facts/hsc.yaml").read_text())
        self.distortion = facts["distortion"]
        self.crosstalk = 1e-6 * np.array(facts["crosstalk"]["values_1e6"], float)
        self.levels = 1000 + 30 * random.standard_normal(4)
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        self.structure = 1.5 * np.sin(x / 97.0) * np.cos(y / 311.0)
        self.response = (1 - 0.06 * ((x - 1023) ** 2 + (y - 2087) ** 2) / 2300**2) * (
            1 + 0.004 * random.standard_normal(x.shape)
        )
        self.response *= np.repeat(1 + 0.01 * random.standard_normal(4), 512)

    def box(self, amp: dict[str, str], name: str) -> tuple[slice, slice]:
        """Return a region of the raw image."""
        x, y, width, height = (
            int(amp[f"raw_{name}bbox_{part}"]) for part in ("min_x", "min_y", "extent_x", "extent_y")
        )
        return slice(y, y + height), slice(x, x + width)

    def read_out(self, electrons: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return the raw frame of electrons that were collected."""
        signal = np.zeros((4, HEIGHT, 512))
        for k, amp in enumerate(self.amplifiers):
            light = electrons[:, 512 * k : 512 * (k + 1)] / float(amp["gain"])
            square = float(amp["linearity_c0"]) if amp["linearity_type"] == "Squared" else 0.0
            signal[k] = light
            for _ in range(8):
                signal[k] = light - square * signal[k] ** 2
            np.minimum(signal[k], float(amp["saturation"]) - self.levels[k], out=signal[k])
        corners = [int(amp["readoutcorner"]) for amp in self.amplifiers]
        seen = signal.copy()
        for source in range(4):
            for target in range(4):
                turned = signal[source] if corners[source] == corners[target] else signal[source][:, ::-1]
                seen[target] += self.crosstalk[source, target] * turned
        drift = 0.8 * np.sin(np.arange(RAW_SHAPE[0]) / 700 + random.uniform(0, 6))
        raw = np.zeros(RAW_SHAPE)
        for k, amp in enumerate(self.amplifiers):
            noise = float(amp["readnoise"]) / float(amp["gain"])
            for name in ("", "horizontaloverscan"):
                rows, columns = self.box(amp, name)
                raw[rows, columns] = (self.levels[k] + drift)[rows, None]
            data = self.box(amp, "data")
            raw[data] += seen[k] + self.structure[:, 512 * k : 512 * (k + 1)]
            raw[self.box(amp, "")] += noise * random.standard_normal(raw[self.box(amp, "")].shape)
        return np.clip(np.rint(raw), 0, 65535).astype(np.uint16)


def sky_of(chip: Chip, header: fits.Header, kind: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return right ascension and declination of pixels, degrees."""
    if kind == "header":
        matrix = np.array([[header["CD1_1"], header["CD1_2"]], [header["CD2_1"], header["CD2_2"]]])
        east, north = np.radians(matrix @ np.array([x + 1 - header["CRPIX1"], y + 1 - header["CRPIX2"]]))
        ra, dec = np.radians([header["CRVAL1"], header["CRVAL2"]])
    else:
        place = {name: float(chip.place[name]) for name in ("refpos_x", "refpos_y", "offset_x", "offset_y", "yawDeg")}
        turn = np.radians(place["yawDeg"])
        dx, dy = x - place["refpos_x"], y - place["refpos_y"]
        u = place["offset_x"] / 0.015 + np.cos(turn) * dx - np.sin(turn) * dy
        v = place["offset_y"] / 0.015 + np.sin(turn) * dx + np.cos(turn) * dy
        if kind == "model":
            order = [(i, j) for i in range(10) for j in range(10 - i)]
            u, v = (
                sum(c * u**i * v**j for c, (i, j) in zip(chip.distortion[axis], order, strict=True)) for axis in "xy"
            )
        # at position angle 0 the focal plane's y points west and its x south
        east, north = -np.radians(v * PIXEL / 3600), -np.radians(u * PIXEL / 3600)
        ra, dec = galsim.Angle.from_hms(header["RA2000"]).rad, galsim.Angle.from_dms(header["DEC2000"]).rad
    depth = np.cos(dec) - north * np.sin(dec)
    lifted = np.sin(dec) + north * np.cos(dec)
    return np.degrees(ra + np.arctan2(east, depth)) % 360, np.degrees(np.arctan2(lifted, np.hypot(east, depth)))


def make_sources(n: int, random: np.random.Generator) -> Table:
    """Return stars and galaxies; the first are bright stars to calibrate with, and some that saturate."""
    magnitude = 16.5 + np.log10(1 + random.uniform(size=n) * (10 ** (0.3 * 8) - 1)) / 0.3
    magnitude[:150], magnitude[150:160] = random.uniform(17.5, 22, 150), random.uniform(12, 15.5, 10)
    is_star = random.uniform(size=n) < 0.6
    is_star[:160] = True
    x, y = random.uniform(-20, WIDTH + 19, n), random.uniform(-20, HEIGHT + 19, n)
    size = np.where(is_star, 0.0, np.clip(random.lognormal(np.log(0.35), 0.4, n), 0.15, 1.2) / PIXEL)
    a, b = x / 1024 - 1, y / 2088 - 1
    return Table(
        {
            "id": np.arange(n),
            "x": x,
            "y": y,
            "magnitude": magnitude,
            "electrons": 10 ** (0.4 * (ZERO_POINT - magnitude)),
            "is_star": is_star,
            "half_light": size,
            "fwhm": 0.7 / PIXEL * (1 + 0.03 * a - 0.02 * b + 0.03 * a * b + 0.02 * b * b),
            "g1": 0.02 + 0.015 * a - 0.01 * b * b,
            "g2": -0.01 + 0.02 * b,
        }
    )


def point_source(profile: str, fwhm: float, fine: galsim.GSParams) -> Any:  # noqa: ANN401 - galsim has no types
    """Return a round profile: ``moffat-`` and its exponent, or ``kolmogorov``."""
    if profile == "kolmogorov":
        return galsim.Kolmogorov(fwhm=fwhm, gsparams=fine)
    return galsim.Moffat(beta=float(profile.removeprefix("moffat-")), fwhm=fwhm, gsparams=fine)


def draw(sources: Table, random: np.random.Generator, kind: str) -> np.ndarray:
    """Return the light of sources, electrons, without sky or noise."""
    image = galsim.ImageF(WIDTH, HEIGHT, xmin=0, ymin=0)
    for source in sources:
        flux = float(source["electrons"])
        size = 64 if flux < 2e4 else 128 if flux < 3e5 else 500 if flux < 4e6 else 1600
        fine = galsim.GSParams(folding_threshold=2e-3 if size == 64 else 3e-4, maximum_fft_size=16384)
        profile = point_source(kind, source["fwhm"], fine).shear(g1=source["g1"], g2=source["g2"])
        if not source["is_star"]:
            tilt = galsim.Shear(g=min(0.6, abs(random.normal(0, 0.25))), beta=random.uniform(0, 180) * galsim.degrees)
            disc = galsim.Exponential(half_light_radius=source["half_light"], gsparams=fine).shear(tilt)
            profile = galsim.Convolve(disc, profile)
        x, y = round(source["x"]), round(source["y"])
        stamp = galsim.ImageF(galsim.BoundsI(x - size // 2, x + size // 2, y - size // 2, y + size // 2))
        profile.withFlux(flux).drawImage(stamp, center=galsim.PositionD(source["x"], source["y"]), scale=1.0)
        common = stamp.bounds & image.bounds
        if common.isDefined():
            image[common] += stamp[common]
    return np.asarray(image.array, float)


def draw_tracks(number: int, random: np.random.Generator) -> np.ndarray:
    """Return the charge of cosmic rays, electrons: straight tracks through 0.2 mm of silicon, 80 electrons a micron.

    A track has 28 pixels on average, a few are very long.
    """
    image = np.zeros((HEIGHT, WIDTH))
    for length in random.exponential(9.0, number):
        steps = np.linspace(0.0, length, 20 * int(length + 2))
        angle, path = random.uniform(0, 2 * np.pi), np.hypot(length, 13.3)
        loss = 1200 * path / len(steps) * random.exponential(1.0, len(steps)) * random.lognormal(0.0, 0.3)
        x = random.uniform(0, WIDTH) + steps * np.cos(angle) + 0.35 * random.standard_normal(len(steps))
        y = random.uniform(0, HEIGHT) + steps * np.sin(angle) + 0.35 * random.standard_normal(len(steps))
        inside = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT)
        np.add.at(image, (y[inside].astype(int), x[inside].astype(int)), loss[inside])
    return image


def write(folder: Path, image: np.ndarray, base: fits.Header, ending: str, **cards: Any) -> None:
    """Write a raw frame with the cards of a real one, of which some are replaced."""
    header = base.copy()
    for keyword in LAYOUT:
        header.remove(keyword, ignore_missing=True)
    header.update({keyword.replace("_", "-"): value for keyword, value in cards.items()})
    path = folder / f"{header['FRAMEID']}.{ending}"
    if ending.endswith("fz"):
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image, header)]).writeto(path, overwrite=True)
    else:
        fits.PrimaryHDU(image, header).writeto(path, overwrite=True)


def render(folder: Path, arguments: argparse.Namespace) -> None:
    """Write biases, darks, flats, one science frame, its truth and a reference catalog."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(arguments.seed)
    chip = Chip(arguments.data, arguments.detector, random)
    base = fits.Header.fromtextfile(arguments.data / f"headers/{arguments.header}.hdr")
    visit, seconds = int(str(base["EXP-ID"])[4:10]), float(base["EXPTIME"])

    def take(electrons: np.ndarray, kind: str, number: int, time: float) -> None:
        names = {"EXP_ID": f"HSCA{number:06d}00", "FRAMEID": f"HSCA{number:06d}{arguments.detector % 100:02d}"}
        cards = {**names, "DET_ID": arguments.detector, "DATA_TYP": kind, "EXPTIME": time}
        object_card = {} if kind == "OBJECT" else {"OBJECT": kind}
        write(folder, chip.read_out(electrons, random), base, arguments.ending, **cards, **object_card)

    for k in range(arguments.frames):
        take(np.zeros((HEIGHT, WIDTH)), "BIAS", visit - 100 + 2 * k, 0.0)
        take(random.poisson(np.full((HEIGHT, WIDTH), 300 * DARK)), "DARK", visit - 200 + 2 * k, 300.0)
        lamp = 20000 * (1 + 0.02 * random.standard_normal())
        take(random.poisson(lamp * chip.response), "DOMEFLAT", visit - 300 + 2 * k, 5.0)
    sources = make_sources(arguments.sources, random)
    sources["ra"], sources["dec"] = sky_of(chip, base, arguments.wcs, *(np.asarray(sources[c]) for c in "xy"))
    light = draw(sources, random, arguments.profile) + SKY
    collected, tracks = (
        random.poisson(light * chip.response + seconds * DARK),
        draw_tracks(arguments.cosmic_rays, random),
    )
    take(collected + tracks, "OBJECT", visit, seconds)
    sources.write(folder / "truth.fits", overwrite=True)
    np.save(folder / "light.npy", light.astype(np.float32))
    np.save(folder / "tracks.npy", tracks.astype(np.float32))
    known = sources[np.asarray(sources["is_star"]) & (np.asarray(sources["magnitude"]) < 22.5)]
    reference = known["id", "ra", "dec"]
    for band in "gri":
        reference[band] = known["magnitude"]
        reference[f"{band}_err"] = 0.003
    reference.write(folder / "reference.csv", format="ascii.csv", overwrite=True)


def process(folder: Path) -> None:
    """Go from the raw frames to a catalog with the commands of the README."""
    data, frames = str(folder / "DATA"), sorted(str(path) for path in folder.glob("HSCA*"))
    commands = [["init", data, "--camera", "hsc"], ["ingest", data, *frames]]
    commands += [["ingest-refcat", data, "truth", str(folder / "reference.csv")]]
    for kind, told in (("bias", "BIAS"), ("dark", "DARK"), ("flat", "DOMEFLAT")):
        commands.append(["calibs", "build", kind, data, "--id", f"dataType={told}"])
    commands.append(["process", data, "--rerun", "first", "--id", "dataType=OBJECT", "-c", "isr.write=true"])
    for words in commands:
        subprocess.run([OBS, *words], check=True)


def score(folder: Path) -> list[tuple[str, str]]:
    """Compare the outputs with the truth: name, value."""
    out = folder / "DATA/rerun/first"
    truth, source = (Table.read(path, hdu=1) for path in (folder / "truth.fits", next(out.rglob("SRC-*.fits"))))
    source = source[np.asarray(source["deblend_nChild"]) == 0]
    with fits.open(next(out.rglob("CORR-*.fits"))) as hdus:
        zero_flux, mask, cards = hdus[0].header["FLUXMAG0"], hdus["MASK"].data, hdus["MASK"].header
    x, y, electrons = (np.asarray(truth[name]) for name in ("x", "y", "electrons"))
    near = cKDTree(np.c_[x, y]).query(np.c_[x, y], k=8)
    crowd = (near[0][:, 1:] < 20) & (electrons[near[1][:, 1:]] > 0.01 * electrons[:, None])
    inside = (x > 30) & (x < WIDTH - 31) & (y > 30) & (y < HEIGHT - 31)
    pixel = tuple(np.clip(np.rint(place).astype(int), 0, n - 1) for place, n in ((y, HEIGHT), (x, WIDTH)))
    inside &= (mask[pixel] & (1 << cards["MP_NO_DATA"])) == 0  # which HSC's corners are, beyond its vignetting circle
    isolated = np.asarray(truth["is_star"]) & ~crowd.any(1) & inside
    at = np.c_[source["base_SdssCentroid_x"], source["base_SdssCentroid_y"]]
    distance, match = cKDTree(np.c_[x, y]).query(at)
    clean = np.ones(len(source), bool)
    for flag in ("saturated", "interpolated", "bad", "edge", "cr"):
        clean &= ~np.asarray(source[f"base_PixelFlags_flag_{flag}"])
    use = (distance < 2) & isolated[match] & clean
    flux, error = (np.asarray(source[f"base_PsfFlux_instFlux{e}"]) for e in ("", "Err"))
    expected = zero_flux * 10 ** (-0.4 * np.asarray(truth["magnitude"])[match])
    signal = expected / error
    aperture = np.asarray(source[f"{APERTURE}_instFlux"]) * np.asarray(source[f"{APERTURE}_apCorr"])
    some, bright = use & (signal > 10) & (signal < 100), use & (signal > 100)
    pull = ((flux - expected) / error)[some]
    east = (np.asarray(source["coord_ra"]) - np.asarray(truth["ra"])[match]) * np.cos(np.radians(truth["dec"][match]))
    north = np.asarray(source["coord_dec"]) - np.asarray(truth["dec"])[match]
    offsets = [3.6e6 * part[bright] for part in (east, north)]
    noise = np.median(error[(flux > 5 * error) & (flux < 20 * error)])
    true_signal = zero_flux * 10 ** (-0.4 * np.asarray(truth["magnitude"])) / noise
    false = (cKDTree(np.c_[x, y][true_signal > 2]).query(at)[0] > 3) & (flux > 0)
    found = cKDTree(at).query(np.c_[x, y])[0] < 2
    sevens = isolated & (np.abs(true_signal - 7) < 0.5)
    scale, residual = isr_residual(folder, out)
    fitted = 2.5 * np.log10(zero_flux) - ZERO_POINT - 2.5 * np.log10(scale)
    return [
        ("ISR: largest residual in strips of 128 columns", f"{residual:.3f} % of sky"),
        ("PSF flux pull at S/N 10-100: mean, standard deviation", f"{pull.mean():.3f}, {pull.std():.3f} ({len(pull)})"),
        ("PSF flux of bright stars, median bias", f"{bias(flux, expected, bright):.3f} %"),
        ("aperture (12 px) of bright stars, corrected, median bias", f"{bias(aperture, expected, bright):.3f} %"),
        ("zero point less truth", f"{fitted:+.4f} mag"),
        ("position of bright stars, median", ", ".join(f"{np.median(part):.1f}" for part in offsets) + " mas"),
        ("position of bright stars, rms per axis", ", ".join(f"{robust(part):.1f}" for part in offsets) + " mas"),
        ("completeness of isolated stars at S/N 7", f"{100 * found[sevens].mean():.1f} % of {sevens.sum()}"),
        ("false detections", f"{100 * false.mean():.2f} %"),
    ]


def isr_residual(folder: Path, out: Path) -> tuple[float, float]:
    """Return counts for an electron, and the largest mean residual of strips of 128 columns, per cent of the sky."""
    light = np.load(folder / "light.npy")
    with fits.open(next(out.rglob("postISRCCD/**/*.fits"))) as hdus:
        image, mask, cards = hdus["IMAGE"].data.astype(float), hdus["MASK"].data, hdus["MASK"].header
    bad = sum(1 << cards[f"MP_{name}"] for name in ("BAD", "SAT", "INTRP", "NO_DATA", "SUSPECT"))
    dark = ((mask & bad) == 0) & (light < 1.02 * SKY) & (np.load(folder / "tracks.npy") == 0)
    scale = float(image[dark].mean() / light[dark].mean())
    residual = np.where(dark, image / scale - light, np.nan).reshape(HEIGHT, 16, 128)
    return scale, float(100 / SKY * np.nanmax(np.abs(np.nanmean(residual, axis=(0, 2)))))


def bias(flux: np.ndarray, expected: np.ndarray, use: np.ndarray) -> float:
    """Return by how much fluxes are too high in the median, per cent."""
    return 100 * (float(np.median((flux / expected)[use])) - 1)


def robust(values: np.ndarray) -> float:
    """Return the standard deviation from the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def main() -> None:
    """Render, process, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detector", type=int, default=50)
    parser.add_argument("--header", default="hsc", help="hsc or hsc-HSCA04090107")
    parser.add_argument("--ending", default="fits.fz", choices=["fits", "fits.gz", "fits.fz"])
    parser.add_argument("--wcs", default="model", choices=["model", "plane", "header"])
    parser.add_argument("--profile", default="moffat-3.5", help="moffat-2.5 or any other exponent, or kolmogorov")
    parser.add_argument("--cosmic-rays", type=int, default=0)
    parser.add_argument("--sources", type=int, default=5000)
    parser.add_argument("--frames", type=int, default=4, help="of each type of calibration")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments = parser.parse_args()
    render(arguments.folder, arguments)
    process(arguments.folder)
    for name, value in score(arguments.folder):
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
