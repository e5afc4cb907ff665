"""Packages of older templates keep facts in another form."""

import json

import pytest
from made_package import imported

from obs.errors import ConfigError
from obs.instrument.date_rules import DateRule
from obs.instrument.pointing_rules import PointingRule
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.scaffold.old_facts import renew_facts
from obs.scaffold.safe_text import check_facts

OLD = {
    "files": ["a.fits"],
    "report": [],
    "warnings": [],
    "detectors": [],
    "amplifiers": [],
    "filters": [{"physical_filter": "V", "band": "V"}],
    "plate_scale": "33",
    "plate_scale_note": "",
    "rotation": 0.0,
    "flip_x": False,
    "headers": [],
    "detector_type": "int",
    "translator": {
        "visit": {"kind": "whole", "keyword": "EXPNUM", "first": 0, "size": 1},
        "detector": {"kind": "constant", "keyword": "", "first": 0, "size": 1},
        "filter": ["FILTER1", "FILTER2"],
        "date": {"kind": "layout", "date": "DATE-OBS", "time": "UT", "layout": "%d/%m/%y", "is_odd": False},
        "exposure_time": {"keyword": "ITIME", "unit": "ms", "is_odd": False},
        "object": "TARGET",
        "image_type": "OBSTYPE",
        "pointing": {"ra": "TELRA", "dec": "TELDEC", "ra_unit": "hourangle", "is_known": True},
        "airmass": "",
        "site": {"longitude": -70.8},
        "time_scale": "UTC",
        "open_starts": ["open"],
        "image_words": {"bias": ["bias"]},
    },
}


def test_facts_of_an_older_package_give_the_same_translator(tmp_path):
    facts = renew_facts(json.loads(json.dumps(OLD)))
    assert renew_facts(facts) == facts
    package = create_package(Answers(camera="aged"), tmp_path, facts=facts)
    with imported(package) as instrument:
        translator = instrument.make_translator()
        assert translator.dates == (DateRule("DATE-OBS", time="UT", layout="%d/%m/%y"),)
        assert translator.pointings == (PointingRule("TELRA", "TELDEC", ra_unit="hourangle"),)
        assert translator.filter_cards == (("FILTER1", "FILTER2"),)
        header = {"EXPNUM": 3, "DATE-OBS": "04/05/98", "UT": "06:07:08", "ITIME": 1500, "OBSTYPE": "object"}
        row = translator.registry_columns(header)
        assert (row["dateObs"], row["expTime"], row["dataType"]) == ("1998-05-04", 1.5, "science")


def test_arguments_of_rules_cannot_become_code():
    options = {"options": {"layout=exit(), time": "UT"}, "date": "DATE-OBS"}
    with pytest.raises(ConfigError, match=r"'layout=exit.*, time' is not an argument of a rule"):
        check_facts({"translator": {"dates": [options]}})
