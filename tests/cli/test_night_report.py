"""`obs report` and `obs watch` on folders that cannot be what they need."""

import os

import numpy as np
from astropy.io import fits


def test_no_page_is_written_into_a_repository_of_the_stack(tmp_path, obs):
    (tmp_path / "_mapper").write_text("lsst.obs.hsc.HscMapper\n")
    status, _, err = obs("report", tmp_path)
    assert status == 1
    assert "is a repository of the LSST stack, into which nothing is written; give the output of obs process" in err
    assert [path.name for path in tmp_path.iterdir()] == ["_mapper"]
    page = tmp_path / "pages" / "night.html"
    page.parent.mkdir()
    assert obs("report", tmp_path, "--output", page)[0] == 0
    assert page.is_file()


def test_a_folder_to_watch_must_exist(tmp_path, obs):
    status, _, err = obs("watch", tmp_path, tmp_path / "nowhere")
    assert status == 1
    assert "nowhere to watch; make it, or correct its name" in err


def test_a_watch_names_the_first_file_of_another_camera(tmp_path, obs):
    assert obs("init", tmp_path / "data", "--camera", "necam")[0] == 0
    (tmp_path / "night").mkdir()
    for name in ("a", "b", "c"):
        header = fits.Header({"INSTRUME": "Hyper Suprime-Cam"})
        fits.writeto(tmp_path / "night" / f"{name}.fits", np.zeros((20, 20), np.uint16), header)
    (tmp_path / "night" / "cut.fits").write_bytes((tmp_path / "night" / "a.fits").read_bytes()[:3000])
    (tmp_path / "night" / "link").symlink_to("gone")
    os.mkfifo(tmp_path / "night" / "pipe.fits")
    status, out, err = obs("watch", tmp_path / "data", tmp_path / "night", "--settle", 0, "--idle", 0.1)
    assert (status, "took" in out) == (1, False)
    assert f"WARNING {tmp_path / 'night' / 'link'} is a link that leads nowhere: it waits" in err
    assert f"WARNING {tmp_path / 'night' / 'pipe.fits'} cannot be read: it is a pipe or a device" in err
    assert f"WARNING {tmp_path / 'night' / 'cut.fits'} is not whole" in err
    assert f"left out {tmp_path / 'night' / 'a.fits'}: of another camera, which is installed as hsc: obs init" in err
    assert err.count("of another camera") == 1  # the others are not named
    assert "FAILED" not in err
