"""The small night that notebooks and the gallery work with: a pocket camera, and `obs demo` with it.

It is made once, when the guide is built for the first time, and again when the engine or this file has changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import obs_necam

__all__ = ["make_sample_night", "use_sample_camera"]

VISITS = 8
_SIZE = 1024
_PLUGIN = '''"""The teaching camera with a detector of {size} x {size} pixels."""

from dataclasses import replace
from pathlib import Path

from obs_necam import instrument as necam

instrument = replace(necam, name="pocket", folder=Path(__file__).parent, mapper_names=())
'''
_DETECTORS = """\
id,name,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,reference_x,reference_y,offset_x,offset_y,yaw
1,n1_necam,{size},{size},{size},{size},0.001,0.001,{middle},{middle},0,0,0
"""
_AMPLIFIERS = """\
detector,name,{boxes},readout_corner,gain,read_noise,saturation
n1_necam,left,{values},LL,0.5,20,65535
"""
_SIMULATE = """\
sky:
  zero_point: 25.0
sources:
  density: 30000.0
  bright: 13.5
  faint: 22.5
  galaxy_bright: 16.0
optics:
  seeing: 1.7
  growth: 0.05
cosmic_rays:
  count: 20
  thickness: 0.004
  ionization: 500000.0
detector:
  drift: 0.0
  bias_level: 500.0
  bias_scatter: 0.0
  bad_columns: 0.0
  hot_fraction: 0.0
  dead_fraction: 0.0
changes:
  variable_fraction: 0.06
  variable_amplitude: 0.35
  variable_period: [0.004, 0.007]
"""


def use_sample_camera(folder: Path) -> None:
    """Let this process, and those that it starts, find the pocket camera and the program ``obs``."""
    site = str(folder / "site")
    if site not in sys.path:
        sys.path.insert(0, site)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (site, os.environ.get("PYTHONPATH"))))
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    os.environ["OBS_SAMPLE_NIGHT"] = str(folder)


def make_sample_night(folder: Path) -> None:
    """Make the night, if it is not there, or was made by another version of the engine.

    The folder gets ``site`` with the package of the camera, and what ``obs demo`` leaves, in ``night``.

    Raises
    ------
    RuntimeError
        If `obs demo` fails; has what it printed.
    """
    stamp = folder / "made-by.txt"
    key = _key()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
        return
    shutil.rmtree(folder, ignore_errors=True)
    _write_camera(folder / "site")
    environment = {**os.environ, "PYTHONPATH": str(folder / "site")}
    words = [sys.executable, "-c", "import sys; from obs.cli.main import main; sys.exit(main())"]
    words += ["demo", "pocket", "--output", "night", "--visits", str(VISITS), "--seed", "5"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    (folder / "demo.txt").write_text(done.stdout, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"obs demo failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    stamp.write_text(key, encoding="utf-8")


def _key() -> str:
    """Return a digest of everything that the night follows from."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for package in (Path(obs_necam.__file__).parent, Path(__file__).parents[2] / "core" / "obs"):
        for path in sorted(package.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _write_camera(site: Path) -> None:
    package = site / "obs_pocket"
    shutil.copytree(Path(obs_necam.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    (package / "__init__.py").write_text(_PLUGIN.format(size=_SIZE), encoding="utf-8")
    (package / "camera" / "detectors.csv").write_text(
        _DETECTORS.format(size=_SIZE, middle=(_SIZE - 1) / 2), encoding="utf-8"
    )
    boxes = ("bbox", "raw_bbox", "raw_data_bbox")
    names = [f"{box}_{part}" for box in boxes for part in ("x_min", "y_min", "width", "height")]
    values = ["0", "0", str(_SIZE), str(_SIZE)] * len(boxes)
    (package / "camera" / "amplifiers.csv").write_text(
        _AMPLIFIERS.format(boxes=",".join(names), values=",".join(values)), encoding="utf-8"
    )
    (package / "config" / "simulate.yaml").write_text(_SIMULATE, encoding="utf-8")
    metadata = site / "obs_pocket-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: obs-pocket\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[obs.cameras]\npocket = obs_pocket:instrument\n", encoding="utf-8")
