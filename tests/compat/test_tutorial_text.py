"""The code of the HSC tutorial's text, with `import lsst.` read as `import obs.compat.lsst.`."""

import logging
import re

import numpy
import pytest
from hsc_repository import FLUX, ZERO_POINT

#: First and last line of each piece of code in the text.
PIECES = {
    "butler": ("import lsst.daf.persistence as dafPersist", "butler = dafPersist.Butler(dataDir)"),
    "bias": ("dataId = {'visit': 1234, 'ccd': 56}", "bias = butler.get('bias', dataId)"),
    "filename": ("bias_filename = butler.get('bias_filename', dataId)",) * 2,
    "metadata": ('calexp_md = butler.get("calexp_md", dataId)',) * 2,
    "reference": ("import hsc.pipe.base.butler as hscButler", "bias = dataRef.get('bias')"),
    "mask": ("mask       = maskedImage.getMask()", "crImage &= crBitMask"),
    "sources": (
        "# get a SourceCatalog from the butler",
        '    print i, psfFlux[i], src.get("classification.extendedness")',
    ),
    "zero point": (
        'metadata  = butler.get("calexp_md", dataId)',
        'zeropoint = 2.5*numpy.log10(metadata.get("FLUXMAG0"))',
    ),
    "schema": ("print sources.schema",) * 2,
    "ds9": ('exposure = butler.get("calexp", dataId)', "ds9.mtv(exposure)"),
    "settings": ("settings = {'scale':'zscale'", 'ds9.mtv(exposure, frame=1, title="My Data"'),
    "dots": ("with ds9.Buffering():", "        ds9.dot(symbol, source.getX()"),
    "ellipse": ('symbol = "@:{ixx},{ixy},{iyy}".format',) * 2,
}


@pytest.fixture
def piece(shared_data):
    """Return the code of one piece, in Python 3."""
    text = (shared_data.parent / "tutorials" / "4-hsc-pipeline-tools.txt").read_text()

    def read(name):
        first, last = PIECES[name]
        lines = text[text.index(f"\n{first}") + 1 :].splitlines()
        end = next(number for number, line in enumerate(lines) if line.startswith(last))
        code = "\n".join(lines[: end + 1])
        code = re.sub(r"^(\s*)print (.*)$", r"\1print(\2)", code, flags=re.MULTILINE)
        return re.sub(r"import (lsst|hsc)\.", r"import obs.compat.\1.", code)

    return read


@pytest.fixture
def run(piece, rerun):
    """Run pieces one after the other, after the imports and the Butler, and return what they define."""

    def run(*names, **known):
        space = {"numpy": numpy, "dataId": {"visit": 1234, "ccd": 56}, **known}
        code = piece("butler").replace("/data/Subaru/HSC/rerun/myrerun", str(rerun))
        exec(code, space)  # noqa: S102 - the text of the tutorial
        exec("import obs.compat.lsst.afw.display.ds9 as ds9", space)  # noqa: S102 - as above
        for name in names:
            exec(piece(name), space)  # noqa: S102 - as above
        return space

    return run


def test_a_calibration_is_an_exposure(run):
    bias = run("bias")["bias"]
    assert bias.getMaskedImage().getImage().getArray().mean() == 3.0


def test_the_file_of_a_calibration(run):
    assert [name.rpartition("/")[2] for name in run("filename")["bias_filename"]] == ["BIAS-2020-01-01-056.fits"]


def test_metadata(run):
    assert run("metadata")["calexp_md"].get("OBJECT") == "M31"


def test_a_data_reference(run):
    assert run("reference")["bias"].getImage().get(0, 0) == 3.0


def test_a_copy_of_a_mask_keeps_one_plane(run, rerun):
    masked = run()["butler"].get("calexp", visit=1234, ccd=56).getMaskedImage()
    space = run("mask", maskedImage=masked)
    bits = space["crBitMask"]
    assert set(numpy.unique(space["crImage"].getArray())) == {0, bits}
    assert (space["crImage"].getArray()[5] == bits).all()
    assert (masked.getMask().getArray()[:, 7] != 0).all()  # what was copied is as it was


def test_columns_and_records_of_sources(run, capsys):
    space = run("sources")
    assert space["n"] == 4
    assert list(space["psfFlux"]) == list(FLUX)
    assert capsys.readouterr().out.splitlines()[1] == "1 40000.0 1.0"


def test_zero_point(run):
    assert run("zero point")["zeropoint"] == pytest.approx(ZERO_POINT, abs=1e-6)


def test_a_schema_prints_its_columns(run, capsys):
    run("schema", sources=run("sources")["sources"])
    assert 'Field[D](name="base_PsfFlux_instFlux", doc="flux", units="adu")' in capsys.readouterr().out


def test_display_says_once_that_it_is_not_there(run, caplog):
    with caplog.at_level(logging.WARNING):
        space = run("ds9", "settings", "sources", "dots")
        exec("source = sources[0]", space)  # noqa: S102 - the loop of the text has a source
        run("ellipse", source=space["source"])
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "ds9.mtv shows nothing",
        "ds9.dot shows nothing",
    ]
