"""Repositories that the tutorials work in."""

import pytest

from obs.repo.registry import Registry

#: Raw frames of the repository of HSC: visit, filter, type and detectors.
FRAMES = ((902, "NONE", "BIAS", (16,)), (903334, "HSC-R", "OBJECT", (16, 23)), (903336, "HSC-I", "OBJECT", (16,)))


@pytest.fixture
def hsc(tmp_path):
    """Make a second-generation repository of HSC, whose raw files are empty."""
    root = tmp_path / "DATA"
    root.mkdir()
    (root / "_mapper").write_text("lsst.obs.hsc.HscMapper\n")
    registry = Registry(root / "registry.sqlite3", read_only=False)
    visit = {"visit": "int", "field": "text", "filter": "text", "dateObs": "text", "taiObs": "text"}
    columns = {**visit, "ccd": "int", "pointing": "int", "expTime": "double", "dataType": "text"}
    registry.create_table("raw", columns, ["visit", "ccd"])
    registry.create_table("raw_visit", visit, ["visit"], numbered=False)
    for number, name, kind, ccds in FRAMES:
        row = {"visit": number, "field": "STRIPE82L", "filter": name, "dateObs": "2013-06-17", "taiObs": "2013-06-17"}
        registry.insert("raw_visit", [row])
        more = {"pointing": 533, "expTime": 0.0 if kind == "BIAS" else 30.0, "dataType": kind}
        registry.insert("raw", [{**row, **more, "ccd": ccd} for ccd in ccds])
        for ccd in ccds:
            path = root / f"STRIPE82L/2013-06-17/00533/{name}/HSC-{number:07d}-{ccd:03d}.fits"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return root


@pytest.fixture
def lsst(obs):
    """Run a command line of the stack, and return exit status, stdout and stderr."""
    return lambda *words: obs("lsst-command", *words)
