"""`obs camera`."""

import pytest

from obs.camera.fits_table import read_amplifiers
from obs.cli.main import main
from obs.instrument.discovery import load_instrument


def test_build_writes_a_table_for_each_detector(tmp_path, capsys):
    assert main(["camera", "build", "hsc", "--output", str(tmp_path / "camera")]) == 0
    assert capsys.readouterr().out == f"112 files in {tmp_path / 'camera'}\n"
    camera = load_instrument("hsc").load_camera()
    assert {path.name for path in (tmp_path / "camera").iterdir()} == {f"{d.name}.fits" for d in camera}
    detector = camera.detector("1_53")
    assert repr(read_amplifiers(tmp_path / "camera/1_53.fits")) == repr(detector.amplifiers)


def test_build_replaces_what_is_there(tmp_path):
    (tmp_path / "n1_necam.fits").write_text("old")
    assert main(["camera", "build", "necam", "--output", str(tmp_path)]) == 0
    assert len(read_amplifiers(tmp_path / "n1_necam.fits")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["n1_necam.fits"]


def test_show_draws_the_focal_plane(tmp_path, capsys):
    picture = tmp_path / "necam.png"
    assert main(["camera", "show", "necam", "--output", str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}\n"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_show_lists_the_detectors(capsys):
    assert main(["camera", "show", "necam"]) == 0
    title, row = capsys.readouterr().out.splitlines()
    assert title.split()[:4] == ["id", "name", "type", "pixels"]
    assert row.split() == ["1", "n1_necam", "SCIENCE", "6144", "x", "4096", "1", "0.000", "0.000", "0.0000"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["camera", "show", "necan"], "no camera 'necan' is installed; did you mean 'necam'?"),
        (["camera", "build", "necam", "--output", "{file}/camera"], "cannot write"),
        (["camera", "show", "necam", "--output", "{file}/necam.png"], "cannot write"),
    ],
)
def test_mistake_is_told_in_one_line(words, message, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    assert main([word.format(file=file) for word in words]) == 1
    error = capsys.readouterr().err
    assert error.startswith("obs: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_build_wants_a_folder(capsys):
    assert main(["camera", "build", "necam"]) == 2
    assert "'--output'" in capsys.readouterr().err
