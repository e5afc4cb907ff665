"""A real DS9 under a virtual screen."""

import os
import shutil
import subprocess
import time
import warnings
from contextlib import closing, contextmanager

import numpy as np
import pytest
from frames import catalog, exposure

from obs.display.ds9.transport import Samp, Xpa, find_transport
from obs.display.ds9.viewer import Ds9, connect
from obs.display.regions import source_regions
from obs.display.view import make_view
from obs.errors import OutputError
from obs.geom import Box

NAME = f"obs-test-{os.getpid()}"
"""Of this process alone: XPA reaches every DS9 with a name."""


def samp():
    """Return the module of SAMP, which warns where it is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from pyvo import samp  # noqa: PLC0415 - an extra
        except ImportError:
            from astropy import samp  # noqa: PLC0415 - as above
    return samp


@contextmanager
def hub_of(module, folder, patch, **methods):
    """Run a hub, some of whose methods are others, and make it that of this process."""
    module.conf.use_internet = False
    lock = folder / "hub"
    patch.setenv("SAMP_HUB", f"std-lockurl:file://{lock}")
    hub = type("Hub", (module.SAMPHubServer,), methods)(web_profile=False, lockfile=str(lock))
    hub.start()
    yield hub
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub.stop()


def needed(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return program


@pytest.fixture(scope="module")
def screen():
    """Start a virtual screen, and return its name."""
    read, write = os.pipe()
    words = [needed("Xvfb"), "-displayfd", str(write), "-screen", "0", "900x700x24", "-nolisten", "tcp"]
    process = subprocess.Popen(words, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def running(screen, tmp_path_factory):
    """Start a SAMP hub and a DS9 that knows it."""
    program = needed("ds9")
    with pytest.MonkeyPatch.context() as patch, hub_of(samp(), tmp_path_factory.mktemp("samp"), patch):
        patch.setenv("DISPLAY", screen)
        process = subprocess.Popen([program, "-title", NAME], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60.0
        while (found := Samp.find()) is None:
            if process.poll() is not None or time.monotonic() > end:
                pytest.skip("ds9 does not start here")
            time.sleep(0.5)
        found.close()
        yield
        process.terminate()
        process.wait()


@pytest.fixture(params=["XPA", "SAMP"])
def viewer(request, running):
    if request.param == "SAMP":
        transport = Samp.find()
        yield Ds9(transport)
        transport.close()
        return
    needed("xpaset")
    xpa = Xpa(NAME)
    if not xpa.is_there():
        pytest.skip("XPA does not reach DS9 here")
    yield Ds9(xpa)


def test_an_image_with_mask_and_sources(viewer):
    settings = {"scale": "zscale", "zoom": "to 4", "mask": "transparency 70"}
    viewer.show(make_view(exposure(), "My {Data}"), frame=2, settings=settings)
    viewer.draw(source_regions(catalog(), "ellipses"), frame=2)
    assert viewer.ask("frame") == "2"
    assert viewer.ask("mask transparency") == "70"
    assert viewer.ask("zoom") == "4"
    assert viewer.ask("fits width") == "80"
    assert "My {Data}" in viewer.ask("fits header keyword OBJECT")
    regions = viewer.ask("regions")
    assert regions.count("ellipse(") == 2
    assert regions.count("circle(") == 1
    viewer.erase(frame=2)
    assert "ellipse(" not in viewer.ask("regions")


def test_a_part_counts_as_the_whole(viewer):
    viewer.show(make_view(exposure()).cut(Box(40, 5, 30, 20)), frame=1)
    viewer.command("pan to 56 13 physical")
    x, y = (float(word) for word in viewer.ask("pan image").split()[:2])
    assert (x, y) == pytest.approx((16.0, 8.0), abs=0.6)
    value = float(viewer.ask("data physical 56 13 1 1 no").split("=")[-1])
    assert value == pytest.approx(float(exposure().masked_image.image[12, 55]), rel=1e-4)


def test_what_ds9_refuses(viewer):
    with pytest.raises(OutputError, match="DS9 refuses 'nonsense 3'"):
        viewer.command("nonsense 3")


def test_answers_that_come_before_the_hub_has_noted_the_call(tmp_path, monkeypatch):
    module = samp()

    def call(self, *words):
        number = module.SAMPHubServer._call(self, *words)
        time.sleep(0.1)  # as on a machine with too much to do
        return number

    def answer(key, sender, number, kind, words, message):
        done = words["cmd"] != "nonsense"
        ds9.ereply(number, *(["samp.ok"] if done else ["samp.error", None, {"samp.errortxt": "unknown"}]))

    monkeypatch.setattr("obs.display.ds9.transport._SECONDS", 5)
    with hub_of(module, tmp_path, monkeypatch, _call=call):
        ds9 = module.SAMPIntegratedClient(name="SAOImageDS9")
        ds9.connect()
        assert Samp.find() is None  # it has a name, and takes no command yet
        ds9.bind_receive_call("ds9.set", answer)
        with closing(Samp.find()) as way:
            way.send("frame 2")
            with pytest.raises(OutputError, match="DS9 refuses 'nonsense': unknown"):
                way.send("nonsense")
            with pytest.raises(OutputError, match="only ASCII characters over SAMP, got 'file ü"):
                way.send("file ü.fits")
        ds9.disconnect()


def test_one_of_two_that_have_a_name(tmp_path, monkeypatch):
    for program, text in {
        "xpaget": 'case "$1" in xpans) echo "DS9 other gs 7f000001:1 me"; echo "DS9 ds9 gs 7f000001:2 me";'
        ' echo "DS9 ds9 gs 7f000001:3 me";; *) echo "$1";; esac',
        "xpaset": "true",
    }.items():
        (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_transport("ds9").ask("version") == "7f000001:2"


def test_no_ds9(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("obs.display.ds9.viewer.find_transport", lambda name: None)
    with pytest.raises(OutputError, match="no DS9 runs here: start ds9 first"):
        connect(start=False)
    monkeypatch.setattr("shutil.which", lambda program: f"/bin/{program}")
    with pytest.raises(OutputError, match="no DS9 runs here, and there is no screen to start one"):
        connect()
    monkeypatch.setattr("shutil.which", lambda program: None)
    with pytest.raises(OutputError, match="no DS9 runs here, and the program ds9 is not installed"):
        connect()


def test_no_xpa(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda program: None)
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:file://{tmp_path}/none")
    assert find_transport("ds9") is None


def test_a_viewer_writes_nothing_but_numbers(tmp_path):
    class Listener:
        def send(self, command):
            self.last = command

    listener = Listener()
    viewer = Ds9(listener)
    viewer.show(make_view(np.zeros((3, 3)), "ü\n{"), frame=1)
    assert listener.last == "scale mode zscale"
