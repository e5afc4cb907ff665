"""What quality metrics and reports cost: the part of `obs process`, and a page of many detectors.

``python benchmarks/quality_metrics.py INPUT [KEY=VALUE ...]`` processes what is in a repository, for example in
``../shared/data/sdss_stripe82``. With ``--page FOLDER`` it writes a page of 100 visits of 104 detectors to
FOLDER, from rows that are made up.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import obs.pipeline
from obs import load_instrument, process
from obs.cli.main import main
from obs.metrics.record import record_detector
from obs.repo.metric_table import MetricTable

VISITS, DETECTORS = 100, 104


def measure_cost(root: str, words: str) -> None:
    """Print the processor time of the metrics, and of everything."""
    spent = []

    def timed(*arguments: object) -> None:
        begin = time.thread_time()  # results of the frame before are written meanwhile
        record_detector(*arguments)  # type: ignore[arg-type]
        spent.append(time.thread_time() - begin)

    obs.pipeline.record_detector = timed
    with tempfile.TemporaryDirectory() as folder:
        begin = time.process_time()
        outcomes = process(root, words, output=Path(folder) / "out")
        total = time.process_time() - begin
    part = 100 * sum(spent) / total
    print(f"{len(outcomes)} detector images: {total:.2f} s, metrics {sum(spent):.3f} s ({part:.2f} %)")


def measure_page(folder: Path) -> None:
    """Print how long a page of many detectors takes, and its size."""
    main(["init", str(folder), "--camera", "hsc"])
    names = [detector.name for detector in load_instrument("hsc").load_camera() if detector.type == "SCIENCE"]
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from synthetic_night import mosaic  # noqa: PLC0415 - found only now

    rows = mosaic(VISITS, names[:DETECTORS])
    bad = np.random.default_rng(1).choice(len(rows), 200, replace=False)
    for number in bad:
        rows[number]["masked"] = 90.0
    MetricTable(folder).write("detector", rows)
    begin, cpu = time.perf_counter(), time.process_time()
    main(["report", str(folder)])
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    size = (folder / "report.html").stat().st_size / 1e6
    print(f"{len(rows)} rows: {seconds:.1f} s on the clock, {cpu:.1f} s of processor time, {size:.1f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--page"]:
        measure_page(Path(sys.argv[2]))
    else:
        measure_cost(sys.argv[1], " ".join(sys.argv[2:]))
