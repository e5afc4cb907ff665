"""Policies in the format of before YAML."""

import pytest

from obs.errors import PolicyError
from obs.policy.policy import load_policy

TEXT = """\
#<?cfg paf policy ?>
# a comment
needCalibRegistry: true
camera: "../camera"
defaultLevel: "sensor"
levels: {
    skyTile: "visit" "ccd"     # several values on a line
    visit: 'ccd'
    sensor: "none"
}
exposures: {
    raw: {
        template:      "%(field)s/%(dateObs)s/HSC-%(visit)07d-%(ccd)03d.fits"
        python:        lsst.afw.image.DecoratedImageU
        tables:        "raw"
        tables:        "raw_visit"
    }
    calexp: { template: "corr/CORR-%(visit)07d-%(ccd)03d.fits"
              level: Ccd }
}
calibrations: {
    bias: {
        template: "BIAS/%(calibDate)s/BIAS-%(ccd)03d.fits"
        columns: "ccd", "taiObs"
        validRange: true
    }
}
"""


def test_a_policy_of_the_old_format(tmp_path):
    (tmp_path / "HscMapper.paf").write_text(TEXT)
    policy = load_policy(tmp_path / "HscMapper.paf")
    assert policy.need_calib_registry
    assert policy.levels == {"skyTile": ("visit", "ccd"), "visit": ("ccd",), "sensor": ("none",)}
    assert policy.dataset_types["raw"].tables == ("raw", "raw_visit")
    assert policy.dataset_types["raw"].python == "lsst.afw.image.DecoratedImageU"
    assert policy.dataset_types["calexp"].level == "Ccd"
    assert policy.dataset_types["bias"].columns == ("ccd", "taiObs")
    assert policy.dataset_types["bias"].valid_range
    assert policy.dataset_types["calexp"].line == 18


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('defaultLevel: "sensor"', "", r"HscMapper.paf: the key 'defaultLevel' is missing"),
        ("levels: {", "levels:", r"paf:6: levels: a value is missing"),
        ('camera: "../camera"', "}", r"paf:4: '}' without a '\{' before it"),
        ('    sensor: "none"\n}', '    sensor: "none"\n', r"paf:6: '\{' is never closed"),
        ("visit: 'ccd'", "visit:", r"paf:8: levels.visit: a value is missing"),
        ("# a comment", '"stray"', r"paf:2: expected a name such as 'template:', got '\"stray\"'"),
        ("validRange: true", "validRange: maybe", r"paf:25: .*expected true or false, got 'maybe'"),
    ],
)
def test_faults_name_file_and_line(tmp_path, old, new, message):
    (tmp_path / "HscMapper.paf").write_text(TEXT.replace(old, new))
    with pytest.raises(PolicyError, match=message):
        load_policy(tmp_path / "HscMapper.paf")
