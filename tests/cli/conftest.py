"""A repository of a camera with two filters and two detectors, and a pipeline that measures nothing."""

from dataclasses import dataclass, field

import pytest

from obs.errors import DatasetNotFoundError
from obs.executor.outcome import Unfinished
from obs.instrument.instrument import FilterDefinition, Instrument
from obs.pipeline import ComputedDetector

POLICY = """\
defaultLevel: sensor
levels: {sensor: [], visit: [ccd]}
exposures:
  raw: {template: "raw/v%(visit)03d-%(filter)s-c%(ccd)d.fits", storage: FitsStorage, python: lsst.afw.image.ExposureF}
  calexp: {template: "calexp/v%(visit)03d-%(filter)s-c%(ccd)d.fits", storage: FitsStorage}
datasets:
  src: {template: "src/v%(visit)03d-%(filter)s-c%(ccd)d.fits", storage: FitsCatalogStorage}
"""


@dataclass
class Summary:
    """What the pipeline returns."""

    seeing: float = 1.234
    zero_point: float = float("nan")
    zero_point_rms: float = 0.0125
    n_source: int = 321
    n_reference: int = 12
    seconds: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Pipeline:
    """Stands for the real one; visit 3 fails."""

    def __init__(self):
        self.calls = []

    def compute_detector(self, butler, data_id, config, *, may_wait=False):
        self.calls.append((data_id, config))
        if data_id["visit"] == 3:
            raise DatasetNotFoundError(f"no bias for visit=3 ccd={data_id['ccd']}: looked for {butler.root}/bias")
        (butler.output / f"done-{data_id['visit']}-{data_id['ccd']}").touch()
        summary = Summary(warnings=["few stars"] if data_id["visit"] == 2 else [])
        return ComputedDetector(lambda: summary, 0)

    def begin_file(self, path, output, config, *, may_wait=False):
        self.calls.append((path, output, config))
        return Unfinished(Summary, 0)


@pytest.fixture
def pipeline(monkeypatch):
    """Put `Pipeline` in the place of the real pipeline; the settings are the real ones."""
    stand_in = Pipeline()
    monkeypatch.setattr("obs.runs.process.compute_detector", stand_in.compute_detector)
    monkeypatch.setattr("obs.cli.process_file.begin_file", stand_in.begin_file)
    return stand_in


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Make a repository with visits 1 to 3 of two detectors, visit 2 in the filter r and the others in g."""
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    (plugin / "policy.yaml").write_text(POLICY)
    instrument = Instrument(
        "toy",
        folder=plugin,
        policy="policy.yaml",
        filters=(FilterDefinition(physical_filter="g", band="g"), FilterDefinition(physical_filter="r", band="r")),
        exposure_id=lambda data_id: data_id["visit"],
        exposure_id_bits=10,
        detector="%(ccd)d",
    )
    monkeypatch.setattr("obs.repo.find_instrument.load_instrument", lambda name: instrument)
    root = tmp_path / "data"
    (root / "raw").mkdir(parents=True)
    (root / "obs.yaml").write_text("camera: toy\n")
    for visit in (1, 2, 3):
        for ccd in (0, 1):
            (root / f"raw/v{visit:03d}-{'r' if visit == 2 else 'g'}-c{ccd}.fits").touch()
    return root
