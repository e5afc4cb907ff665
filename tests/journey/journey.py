"""The way from a folder of somebody's raw files to catalogs, as a user types it."""

import importlib
from pathlib import Path

import numpy as np

from obs.cli.main import main
from obs.repo.butler import Butler


class Journey:
    """Runs commands in a folder, with the package that `obs new` writes there on the path."""

    def __init__(self, folder: Path, capsys, monkeypatch) -> None:
        self.folder, self.capsys = folder, capsys
        self.patch = monkeypatch
        monkeypatch.chdir(folder)
        self.printed = ""

    def obs(self, *words, status=0):
        """Run a command, and require its exit status; return what it printed."""
        found = main([str(word) for word in words])
        captured = self.capsys.readouterr()
        self.printed = captured.out + captured.err
        assert found == status, f"obs {' '.join(map(str, words))}\n{self.printed[-6000:]}"
        return self.printed

    def install(self, package: str) -> None:
        """Do what ``pip install -e PACKAGE`` amounts to."""
        name = package.removeprefix("obs_")
        metadata = self.folder / package / f"{package}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[obs.cameras]\n{name} = {package}:instrument\n")
        self.patch.syspath_prepend(self.folder / package)
        importlib.invalidate_caches()

    def compare(self, output: str, stars, bands):
        """Return, for each visit and detector, offsets of bright stars on the sky (arcsec) and in magnitude.

        Those in magnitude are nan where the frame has no photometric calibration.
        """
        butler = Butler(self.folder / output)
        results = {}
        for row in butler.query_metadata("raw", ["visit", "ccd", "filter"], {}):
            data_id = dict(zip(["visit", "ccd", "filter"], row, strict=True))
            if not butler.exists("src", data_id):
                continue
            src, calexp = butler.get("src", data_id), butler.get("calexp", data_id)
            magnitude = np.full(len(src), np.nan)
            if calexp.photo_calib is not None:
                magnitude = calexp.photo_calib.magnitude(src["base_PsfFlux_instFlux"])
            ra, dec = src["coord_ra"], src["coord_dec"]
            true = stars[bands[row[2]]]
            east = (ra[:, None] - stars["ra"][None, :]) * np.cos(np.radians(stars["dec"]))
            north = dec[:, None] - stars["dec"][None, :]
            nearest = np.argmin(np.hypot(east, north), axis=1)
            rows = np.arange(len(src))
            distance = np.hypot(east, north)[rows, nearest] * 3600
            bright = (true[nearest] < 16.5) & (distance < 3.0) & src["detect_isPrimary"]
            results[row[:2]] = (
                np.median(distance[bright]),
                np.median(magnitude[bright] - true[nearest][bright]),
                int(bright.sum()),
            )
        return results
