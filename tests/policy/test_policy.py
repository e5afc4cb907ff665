"""Mapper policies: published ones, defaults, and faults that name file, line and key."""

import pytest

from obs.errors import PolicyError
from obs.policy.policy import load_policy

SMALLEST = """\
camera: ../camera
defaultLevel: sensor
exposures:
  raw:
    template: raw/%(visit)05d-%(ccd)02d.fits.gz[%(hdu)d]
datasets:
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text, **options):
        path = tmp_path / "cam.yaml"
        path.write_text(text)
        return load_policy(path, **options)

    return load_text


@pytest.mark.parametrize(
    ("name", "calexp", "levels"),
    [
        (
            "Hsc",
            "%(pointing)05d/%(filter)s/corr/CORR-%(visit)07d-%(ccd)03d.fits",
            {"skyTile": ("visit", "ccd"), "tract": ("patch",), "visit": ("ccd",), "sensor": ("none",)},
        ),
        (
            "Sdss",
            "sci-results/%(run)d/%(camcol)d/%(filter)s/calexp/calexp-%(run)06d-%(filter)s%(camcol)d-%(field)04d.fits",
            {
                "skyTile": ("run", "camcol", "field", "filter"),
                "run": ("camcol", "field", "filter"),
                "camcol": ("field", "filter"),
                "field": ("filter",),
            },
        ),
        ("Necam", "calexp/raw/%(dateObs)s/%(dataType)s-%(visit)04d-%(filter)s-%(ccd)02d.fits", {}),
    ],
)
def test_published_policies_load_unmodified(shared_data, name, calexp, levels):
    policy = load_policy(shared_data / "policies" / f"{name}Mapper.yaml")
    assert policy.dataset_types["calexp"].template == calexp
    assert policy.levels == levels
    for kind in policy.dataset_types.values():
        assert all(issubclass(key, int | float | str) for key in kind.keys.values())


def test_a_published_policy_in_detail(shared_data):
    flat = load_policy(shared_data / "policies" / "HscMapper.yaml").dataset_types["flat"]
    assert (flat.columns, flat.reference, flat.reference_columns) == (
        ("ccd", "filter", "taiObs"),
        ("raw_visit",),
        ("visit", "filter"),
    )
    assert (flat.valid_range, flat.valid_start, flat.valid_end, flat.filter) == (True, "validStart", "validEnd", True)
    assert flat.is_calibration
    assert flat.storage == "FitsStorage"


def test_a_group_that_is_absent_gets_no_defaults(shared_data):
    policy = load_policy(shared_data / "policies" / "SdssMapper.yaml")
    assert "bias" not in policy.dataset_types
    assert "src_schema" in policy.dataset_types


def test_the_smallest_policy_has_a_place_for_every_result(load):
    policy = load(SMALLEST)
    assert policy.dataset_types["calexp"].template == "calexp/raw/%(visit)05d-%(ccd)02d-%(hdu)d.fits"
    assert policy.dataset_types["processCcd_metadata"].template.endswith(".yaml")
    assert policy.camera == policy.path.parent / "../camera"


def test_the_camera_wins_key_by_key(load):
    raw = load(SMALLEST.replace("raw:\n", "raw:\n    python: my.Raw\n    tables: [raw, raw_visit]\n")).dataset_types[
        "raw"
    ]
    assert raw.python == "my.Raw"
    assert raw.tables == ("raw", "raw_visit")
    assert raw.storage == "FitsStorage"


def test_a_repository_wins_over_the_camera(load):
    policy = load(SMALLEST, override={"exposures": {"raw": {"template": "other/%(visit)d.fits"}}, "calibRoot": "C"})
    assert policy.dataset_types["raw"].template == "other/%(visit)d.fits"
    assert policy.dataset_types["raw"].storage == "FitsStorage"
    assert policy.calib_root == "C"


@pytest.mark.parametrize(
    "storage",
    [
        *("FitsStorage", "FitsCatalogStorage", "ConfigStorage", "YamlStorage", "PickleStorage", "ParquetStorage"),
        *("MatplotlibStorage", "TextStorage", "BoostStorage", "None", "'None'", "ignored", "'ignored:x'", "", "~", "3"),
    ],
)
def test_no_storage_fails_at_load(load, storage):
    load(SMALLEST + f"  mine:\n    template: a.b\n    storage: {storage}\n    table: raw\n")


def test_components_of_a_composite(load):
    text = (
        SMALLEST
        + "  both:\n    composite:\n      a: {datasetType: raw}\n      b: {datasetType: flat, inputOnly: true}\n"
    )
    both = load(text).dataset_types["both"]
    assert both.components == {"a": "raw", "b": "flat"}
    assert both.input_only == {"b"}


def test_keys_that_nobody_uses_any_more_are_let_pass(load):
    load(SMALLEST + "skytiles: {resolutionPix: 700}\ndefects: ../defects\nwhatever: 1\n")


def test_raw_without_a_template_is_an_error_on_use(load):
    policy = load("camera: c\ndefaultLevel: x\nexposures:\n  calexp:\n    template: a\n")
    with pytest.raises(
        PolicyError, match=r"cam\.yaml:3: there is no template for the dataset type 'raw'; set exposures\.r"
    ):
        policy.dataset_types["raw"].format({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"cam\.yaml:1: the policy is empty"),
        ("- a\n", r"cam\.yaml:1: expected a mapping, got a list"),
        ("camera: c\n", r"cam\.yaml:1: the key 'defaultLevel' is missing"),
        ("camera: c\n bad: [\n", r"cam\.yaml:2: invalid YAML: "),
        (SMALLEST + "camera: d\n", r"cam\.yaml:7: invalid YAML: the key 'camera' is already on line 1"),
        (SMALLEST + "exposure: {}\n", r"cam\.yaml:7: exposure: unknown key; did you mean 'exposures'\?"),
        (SMALLEST + "  raw:\n    template: a\n", r"cam\.yaml:7: datasets\.raw: .* already in 'exposures' \(line 4\)"),
        (
            SMALLEST + "  a:\n    template: /abs\n",
            r"cam\.yaml:8: datasets\.a\.template: the template is an absolute path",
        ),
        (SMALLEST + "  a:\n    template: ../b\n", r"cam\.yaml:8: datasets\.a\.template: the template leaves"),
        (SMALLEST + "  a:\n    template: b%(c)\n", r"cam\.yaml:8: datasets\.a\.template: '%\(c\)' is not a conversion"),
        (
            SMALLEST + "  a:\n    templat: b\n",
            r"cam\.yaml:8: datasets\.a\.templat: unknown key; did you mean 'template'",
        ),
        (
            SMALLEST + "  a:\n    template: [b]\n",
            r"cam\.yaml:8: datasets\.a\.template: expected a string, got a list",
        ),
        (SMALLEST + "  a: b\n", r"cam\.yaml:7: datasets\.a: expected a mapping, got 'b'"),
        (
            SMALLEST + "  a:\n    tables: {x: y}\n",
            r"cam\.yaml:8: datasets\.a\.tables: expected a name or a list of names",
        ),
        (SMALLEST + "  a:\n    filter: 3\n", r"cam\.yaml:8: datasets\.a\.filter: expected true or false, got 3"),
        (SMALLEST + "levels: [a]\n", r"cam\.yaml:7: levels: expected a mapping, got a list"),
        (SMALLEST + "levels:\n  a: {b: c}\n", r"cam\.yaml:8: levels\.a: expected a name or a list of names"),
    ],
)
def test_faults_name_file_line_and_key(load, text, message):
    with pytest.raises(PolicyError, match=message):
        load(text)


def test_a_missing_file(tmp_path):
    with pytest.raises(PolicyError, match=r"none\.yaml: cannot read this file: No such file"):
        load_policy(tmp_path / "none.yaml")
