import numpy as np
import pytest

from obs.errors import OutputError
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.qa.figures import draw_report
from obs.qa.metrics import TruthComparison
from obs.qa.report import REPORT_HEADERS, REPORT_SIDES, FrameReport, report_rows


def _report(n=50):
    random = np.random.default_rng(3)
    comparison = TruthComparison(
        magnitude=random.uniform(16, 22, n),
        x=random.uniform(0, 90, n),
        y=random.uniform(0, 90, n),
        signal_to_noise=np.full(n, 500.0),
        magnitude_error=random.normal(0.002, 0.01, n),
        ra_error=random.normal(0, 3, n),
        dec_error=random.normal(0, 3, n),
        seeing=4.0,
        depth=24.567,
        completeness=0.987,
    )
    return FrameReport({"visit": 3, "ccd": 1}, 0.7123, 0.71, 27.1234, comparison)


def _exposure():
    image = np.random.default_rng(1).normal(0, 3, (90, 70)).astype(np.float32)
    image[40, 30] = 1e5
    image[0, 0] = np.nan
    return Exposure(MaskedImage(image, Mask.zeros(image.shape), np.ones_like(image)))


def test_a_row_names_the_frame_and_its_numbers():
    (row,) = report_rows([_report()])
    assert len(row) == len(REPORT_HEADERS) == len(REPORT_SIDES)
    assert row[:5] == ("visit=3 ccd=1", "0.712", "0.710", "24.57", "27.123")
    assert row[-2:] == ("98.7%", "50")


def test_numbers_that_are_not_known_are_dashes():
    (row,) = report_rows([_report(0)])
    assert row[5:9] == ("-", "-", "-", "-")
    assert row[-1] == "0"


@pytest.mark.parametrize("n", [0, 50])
def test_picture_is_drawn(tmp_path, n):
    draw_report([_report(n), _report(n)], _exposure(), tmp_path / "a" / "report.png")
    content = (tmp_path / "a" / "report.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000


def test_picture_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        draw_report([_report()], _exposure(), tmp_path / "file" / "report.png")


def test_the_same_picture_has_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        draw_report([_report()], _exposure(), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
