"""The camera holds to the contract, and its translator reads the headers that it was made from."""

import json
from pathlib import Path

import pytest
from obs.ingest.translation import load_translator
from obs.scaffold.package_check import check_package
from {{ cookiecutter.__package }} import instrument

HEADERS = json.loads((Path(__file__).parent / "headers.json").read_text())


def test_package_is_sound():
    assert check_package("{{ cookiecutter.camera }}") == []


def test_simulated_headers_are_read_back():
    assert instrument.load_camera().name == "{{ cookiecutter.camera }}"
    assert load_translator(instrument).unique == ("{{ cookiecutter.visit_key }}", "{{ cookiecutter.detector_key }}")


@pytest.mark.parametrize("header", HEADERS, ids=[header["file"] for header in HEADERS])
def test_real_headers(header):
    row = load_translator(instrument).registry_columns(header["cards"])
    assert {name: row[name] for name in header["expected"]} == header["expected"]
