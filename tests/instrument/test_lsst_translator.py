"""Translators of astro_metadata_translator as ours, on real headers and on made ones."""

import json
import math
import pickle
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from obs.errors import PluginError
from obs.image.visit_info import VisitInfo
from obs.ingest.text_headers import read_text_headers
from obs.ingest.translation import translate_file
from obs.instrument.instrument import FilterDefinition, Instrument, make_translator
from obs.instrument.lsst_translator import AstroMetadataTranslator
from obs.instrument.validate import contract_faults
from obs_hsc.translator import HscTranslator
from obs_sdss.translator import SdssTranslator

HAS_EXTRA = "the extra lsst is not installed: pip install 'obs-toolkit[lsst]'"
CAMERAS = {
    "decam-0160496": "DECam",
    "decam-raw_dec050441_25": "DECam",
    "hsc": "HSC",
    "hsc-HSCA04090107": "HSC",
    "megaprime": "MegaPrime",
    "sdss-fpC-006377-g4-0399": "SDSS",
}
OURS = {"hsc": HscTranslator, "hsc-HSCA04090107": HscTranslator, "sdss-fpC-006377-g4-0399": SdssTranslator}
#: Property of the package: circumstance of ours, and by how much values may differ.
QUANTITIES = {
    "exposure_time": ("exposure_time", 1e-9),
    "dark_time": ("dark_time", 1e-9),
    "boresight_rotation_angle": ("rotation_angle", 1e-9),
    "pressure": ("air_pressure", 1e-6),
    "relative_humidity": ("humidity", 1e-9),
    "temperature": ("air_temperature", 1e-9),
}
FACTORS = {"hPa": lambda value: value * 100.0, "K": lambda value: value - 273.15}


@pytest.fixture
def package():
    """The package that the extra brings."""
    return pytest.importorskip("astro_metadata_translator", reason=HAS_EXTRA)


@pytest.fixture
def real(shared_data):
    """Read a real header, and what LSST's own tests expect from it."""
    expected = json.loads((shared_data / "headers" / "expected.json").read_text())

    def read(name):
        header = {}
        for _, cards in read_text_headers(shared_data / "headers" / f"{name}.hdr"):
            header |= {key: value for key, value in cards.items() if value == value}
        return header, expected[name]

    return read


def assert_agrees(info, expected):
    """Compare every quantity that both define; return how many there were."""
    compared = 0
    for name, (ours, tolerance) in QUANTITIES.items():
        told, value = expected.get(name), getattr(info, ours)
        if told is None or math.isnan(value):
            continue
        wanted = told if not isinstance(told, dict) else FACTORS.get(told["unit"], float)(told["value"])
        assert value == pytest.approx(wanted, abs=tolerance), name
        compared += 1
    if info.rotation_type:
        assert info.rotation_type.lower() == expected["boresight_rotation_coord"]
    return compared


@pytest.mark.parametrize("name", CAMERAS)
def test_adapter_gives_what_is_expected(package, real, name):
    header, expected = real(name)
    translator = AstroMetadataTranslator(CAMERAS[name])
    info, row = translator.visit_info(header), translator.registry_columns(header)
    assert assert_agrees(info, expected) >= (2 if expected["pressure"] is None else 5)
    assert info.exposure_id == expected["detector_exposure_id"]
    assert row["visit"] == expected["visit_id"]
    assert row["ccd"] == expected["detector_num"]
    assert row["filter"] == expected["physical_filter"]
    assert row["field"] == expected["object"]
    assert row["proposal"] == expected["science_program"]
    assert row["dataType"] == expected["observation_type"]
    assert row["expTime"] == expected["exposure_time"]["value"]
    assert row["dateObs"] == info.date_begin[:10]
    assert list(row) == list(translator.columns)


@pytest.mark.parametrize("name", OURS)
def test_ours_agree_with_what_is_expected(real, name):
    header, expected = real(name)
    translator = OURS[name]()
    info, row = translator.visit_info(header), translator.registry_columns(header)
    assert assert_agrees(info, expected) >= (2 if name.startswith("sdss") else 5)
    assert row["run" if name.startswith("sdss") else "visit"] == expected["visit_id"]
    assert row["filter"] == expected["physical_filter"]
    if name.startswith("hsc"):
        assert row["ccd"] == expected["detector_num"]
        assert row["proposal"] == expected["science_program"]
        assert row["expTime"] == expected["exposure_time"]["value"]
        assert row["field"].replace("_", "-") == expected["object"].upper()
    else:
        assert f"{row['filter']}{row['camcol']}" == expected["detector_unique_name"]
        assert row["strip"] == expected["object"].replace(" ", "")


@pytest.mark.parametrize("name", OURS)
def test_ours_and_theirs_agree(package, real, name):
    header, _ = real(name)
    ours, theirs = OURS[name]().visit_info(header), AstroMetadataTranslator(CAMERAS[name]).visit_info(header)
    tolerances = {"boresight_ra": 1e-4, "boresight_dec": 1e-4, "elevation": 1.0, "longitude": 1e-3, "latitude": 1e-3}
    compared = set()
    for field in VisitInfo.__dataclass_fields__:
        first, second = getattr(ours, field), getattr(theirs, field)
        # Theirs takes the rotation angle of SDSS as 0.
        if not isinstance(first, float) or math.isnan(first + second) or (name, field) == (SDSS, "rotation_angle"):
            continue
        assert second == pytest.approx(first, abs=tolerances.get(field, 1e-6)), field
        compared.add(field)
    assert {"exposure_time", "dark_time"} <= compared
    if name.startswith("hsc"):
        assert {"boresight_ra", "boresight_azimuth", "airmass", "rotation_angle", "latitude"} <= compared
        apart = datetime.fromisoformat(ours.date_begin) - datetime.fromisoformat(theirs.date_begin)
        assert abs(apart.total_seconds()) < 1e-3


SDSS = "sdss-fpC-006377-g4-0399"


def test_ingest_reads_files_with_it(package, real, tmp_path):
    header, expected = real("decam-raw_dec050441_25")
    path = tmp_path / "a.fits"
    cards = fits.Header([card for card in header.items() if len(card[0]) <= 8 and not card[0].startswith("NAXIS")])
    fits.PrimaryHDU(np.zeros((4, 5), np.int16), cards).writeto(path, output_verify="silentfix")
    found = translate_file(path, AstroMetadataTranslator("DECam"), ("visit", "ccd"))
    assert found.error == ""
    (row,) = found.rows
    assert (row["visit"], row["ccd"]) == (expected["visit_id"], expected["detector_num"])


def test_what_the_package_does_not_tell_is_not_known(package):
    header = {"INSTRUME": "DECam", "EXPTIME": 30.0, "FILTER": "g"}
    info = AstroMetadataTranslator("DECam").visit_info(header)
    assert info.exposure_time == 30.0
    assert math.isnan(info.airmass)
    assert math.isnan(info.boresight_ra)
    assert (info.exposure_id, info.date_begin) == (None, "")
    assert "visit" not in AstroMetadataTranslator("DECam").registry_columns(header)


def test_a_plugin_can_have_it_as_its_translator(package):
    adapter = AstroMetadataTranslator("DECam", extensions=("N1", "N2"))
    instrument = Instrument(
        "mydecam",
        folder=Path("/nowhere"),
        policy="policy.yaml",
        filters=(FilterDefinition(physical_filter="g", band="g"),),
        exposure_id=lambda data_id: 1,
        exposure_id_bits=10,
        translator=adapter,
    )
    assert contract_faults(instrument) == []
    assert instrument.make_translator() is adapter
    assert pickle.loads(pickle.dumps(adapter)).extensions == ("N1", "N2")  # noqa: S301 - our own
    assert make_translator("test_lsst_translator:OwnTranslator").lsst_name == "DECam"


class OwnTranslator(AstroMetadataTranslator):
    lsst_name = "DECam"
    columns = {"exposure": int, "chip": int, "filter": str, "night": int, "target": str}
    unique = ("exposure", "chip")
    visit = ()
    properties = {"exposure": "exposure_id", "chip": "detector_num", "night": "observing_day"}

    def translate_target(self, md):
        return str(md["OBJECT"]).upper()


def test_columns_of_the_plugin_and_its_methods_win(package, real):
    header, expected = real("decam-raw_dec050441_25")
    assert OwnTranslator().registry_columns(header) == {
        "exposure": expected["exposure_id"],
        "chip": expected["detector_num"],
        "filter": expected["physical_filter"],
        "night": expected["observing_day"],
        "target": expected["object"].upper(),
    }


def test_header_fixes_come_before_the_package(package, real, tmp_path):
    (tmp_path / "fixes.yaml").write_text("- exposures: {exposure: 177764}\n  set: {EXPTIME: 31.5}\n")
    kind = type("Fixed", (OwnTranslator,), {"header_fixes": str(tmp_path / "fixes.yaml")})
    assert kind().visit_info(real("decam-raw_dec050441_25")[0]).exposure_time == 31.5


def test_what_cannot_be_is_told(package):
    with pytest.raises(PluginError, match=r"has no translator 'DECan'; did you mean 'DECam'\?; it has DECam, HSC"):
        AstroMetadataTranslator("DECan").check()
    with pytest.raises(PluginError, match="cannot import 'nothing_here:Translator': ModuleNotFoundError"):
        AstroMetadataTranslator("nothing_here:Translator").check()
    with pytest.raises(TypeError, match="needs the name of a translator of astro_metadata_translator, such as 'DECam'"):
        AstroMetadataTranslator()
    odd = type("Odd", (OwnTranslator,), {"properties": OwnTranslator.properties | {"night": "day_of_the_week"}})
    with pytest.raises(PluginError, match="has no property 'day_of_the_week'"):
        odd().registry_columns({"EXPNUM": 1})
    with pytest.raises(PluginError, match="cannot write those of simulated frames"):
        AstroMetadataTranslator.make_header({}, visit_info=None, detector=None, physical_filter="", image_type="bias")


def test_without_the_extra_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "astro_metadata_translator", None)
    with pytest.raises(
        PluginError, match=r"needs the package astro-metadata-translator: pip install 'obs-toolkit\[lsst\]'"
    ):
        AstroMetadataTranslator("DECam").visit_info({"EXPTIME": 1.0})
