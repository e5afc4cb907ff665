"""Each test breaks a sound package in one way."""

import re

import pytest

from obs.checks.package import check_package
from obs.cli.main import main
from obs.errors import OutputError, PluginError
from obs.resources import project_template
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package

VISIT_OF_DATE = """    def translate_visit(self, md):
        return (self.begin(md) - datetime(1980, 1, 1)) // timedelta(milliseconds=1)

"""


def as_function(value):
    """Return what to replace so that the exposure id is a function that returns ``value``."""
    return ("exposure_id = ", f"def exposure_id(data_id):\n    return {value}\n\n\n_unused = ")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    answers = Answers(camera="checked", detectors="2", amplifiers="2", width="64", height="32", overscan="8")
    return create_package(answers, tmp_path_factory.mktemp("sound"))


@pytest.fixture
def package(sound, tmp_path):
    target = tmp_path / sound.name
    for path in sound.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(sound)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return target


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def messages(package):
    return [str(problem) for problem in check_package(str(package))]


def test_a_new_package_is_sound(package):
    assert messages(package) == []
    assert messages(package / "obs_checked") == []


@pytest.fixture
def told(package, request):
    """Check that what is told of the package is the docstring of the test, and nothing else.

    LINE in it stands for the line of the translator that has ``at``.
    """

    def check(at=None):
        found = [text.replace(f"{package}/", "") for text in messages(package)]
        wanted = " ".join(request.function.__doc__.split())
        if at is not None:
            lines = (package / TRANSLATOR).read_text().splitlines()
            wanted = wanted.replace("LINE", str(next(n for n, line in enumerate(lines, 1) if at in line)))
        assert found == [wanted]

    return check


@pytest.fixture
def change(package, told):
    """Break one file of the package."""

    def apply(file, old, new, at=None):
        edit(package / file, old, new)
        told(at)

    return apply


@pytest.fixture
def cell(package, told):
    """Set cells of the second amplifier of the second detector."""

    def apply(**cells):
        path = package / CAMERA / "amplifiers.csv"
        lines = path.read_text().splitlines()
        names, row = lines[2].split(","), lines[6].split(",")
        assert row[:2] == ["ccd1", "amp2"]
        row = [str(cells.get(name, value)) for name, value in zip(names, row, strict=True)]
        path.write_text("\n".join([*lines[:6], ",".join(row)]) + "\n")
        told()

    return apply


POLICY, CAMERA = "obs_checked/policy/checked.yaml", "obs_checked/camera"
INIT, TRANSLATOR = "obs_checked/__init__.py", "obs_checked/translator.py"


def test_slip_in_a_key_of_the_policy(change):
    """policy: obs_checked/policy/checked.yaml:13: exposures.raw.templat: unknown key; did you mean 'template'?"""
    change(POLICY, "    template: raw/", "    templat: raw/")


def test_key_that_the_policy_lacks(change):
    """policy: obs_checked/policy/checked.yaml:1: the key 'defaultLevel' is missing; name the level of one detector,
    such as 'sensor'
    """
    change(POLICY, "defaultLevel: sensor", "")


def test_template_that_leaves_the_root(change):
    """policy: obs_checked/policy/checked.yaml:13: exposures.raw.template: the template leaves the repository with
    '..'
    """
    change(POLICY, "template: raw/", "template: ../raw/")


def test_template_that_is_none(change):
    """policy: obs_checked/policy/checked.yaml:13: exposures.raw.template: '%(visit)07-%' is not a conversion like
    %(visit)07d
    """
    change(POLICY, "%(visit)07d-%(ccd)03d.fits\n    tables", "%(visit)07-%(ccd)03d.fits\n    tables")


def test_template_that_does_not_tell_the_data_id(change):
    """templates: obs_checked/policy/checked.yaml:12: the template of 'raw',
    raw/%(dateObs)s/raw-%(filter)s%(field)s%(visit)07d-%(ccd)03d.fits, gives
    'raw/2020-09-04/raw-gabc0000001-000.fits' for dateObs=2020-09-04 filter=g field=abc visit=1 ccd=0 and for
    dateObs=2020-09-04 filter=gab field=c visit=1 ccd=0: put a character between its keys
    """
    change(
        POLICY, "%(visit)07d-%(ccd)03d.fits\n    tables", "%(filter)s%(field)s%(visit)07d-%(ccd)03d.fits\n    tables"
    )


def test_camera_folder_of_another_name(change):
    """policy: obs_checked/policy/checked.yaml:2: camera is obs_checked/policy/../other, in the Instrument
    obs_checked/camera; make them agree
    """
    change(POLICY, "camera: ../camera", "camera: ../other")


def test_detectors_that_share_a_file(change):
    """policy: obs_checked/policy/checked.yaml:12: the template of raw does not contain ccd, so that detectors share a
    file; add it
    """
    change(POLICY, "-%(ccd)03d.fits\n    tables", ".fits\n    tables")


def test_key_that_no_header_gives(change):
    """translator: obs_checked/translator.py:LINE: the template of raw needs night, which is not in columns
    (obs_checked/policy/checked.yaml:12)
    """
    change(POLICY, "raw-%(visit)07d-", "raw-%(night)07d-%(visit)07d-", at="class Checked")


def test_missing_policy(package, told):
    """policy: obs_checked/policy/checked.yaml: cannot read this file: No such file or directory"""
    (package / POLICY).unlink()
    told()


def test_amplifiers_that_overlap(cell):
    """camera: obs_checked/camera/amplifiers.csv: line 7, column 'bbox_*': bbox Box(x_min=63, y_min=0, width=64,
    height=32) overlaps amplifier 'amp1', Box(x_min=0, y_min=0, width=64, height=32)
    """
    cell(bbox_x_min=63)


def test_amplifiers_that_do_not_cover_the_detector(cell):
    """geometry: obs_checked/camera/amplifiers.csv: line 7: detector 'ccd1', amplifier 'amp2': the amplifiers cover
    3968 of the detector's 4096 pixels: the bbox columns of all amplifiers together have to cover all of
    Box(x_min=0, y_min=0, width=128, height=32)
    """
    cell(bbox_width=60, raw_data_bbox_width=60)


def test_amplifiers_that_read_the_same_pixels(cell):
    """geometry: obs_checked/camera/amplifiers.csv: line 7: detector 'ccd1', amplifier 'amp2': raw_data_bbox
    Box(x_min=40, y_min=0, width=64, height=32) overlaps raw_data_bbox Box(x_min=0, y_min=0, width=64, height=32) of
    amplifier 'amp1': each amplifier has its own pixels
    """
    cell(raw_data_bbox_x_min=40)


def test_overscan_with_light(cell):
    """geometry: obs_checked/camera/amplifiers.csv: line 7: detector 'ccd1', amplifier 'amp2': raw_serial_overscan_bbox
    Box(x_min=130, y_min=0, width=8, height=32) overlaps raw_data_bbox Box(x_min=72, y_min=0, width=64, height=32)
    of amplifier 'amp2': no light falls there
    """
    cell(raw_serial_overscan_bbox_x_min=130)


def test_amplifier_that_takes_another_ones_pixels_for_its_own(cell):
    """geometry: obs_checked/camera/amplifiers.csv: line 7: detector 'ccd1', amplifier 'amp2': raw_bbox Box(x_min=60,
    y_min=0, width=84, height=32) overlaps raw_data_bbox Box(x_min=0, y_min=0, width=64, height=32) of amplifier
    'amp1': it holds what the amplifier itself read
    """
    cell(raw_bbox_x_min=60, raw_bbox_width=84)


def test_box_outside_of_the_raw_image(cell):
    """camera: obs_checked/camera/amplifiers.csv: line 7, column 'raw_serial_overscan_bbox_*': raw_serial_overscan_bbox
    Box(x_min=140, y_min=0, width=8, height=32) leaves the raw image of 144 x 32 pixels
    """
    cell(raw_serial_overscan_bbox_x_min=140)


def test_unknown_detector(cell):
    """camera: obs_checked/camera/amplifiers.csv: line 7, column 'detector': no detector 'ccd7' in detectors.csv; did
    you mean 'ccd1'?
    """
    cell(detector="ccd7")


def test_corner_that_is_none(cell):
    """camera: obs_checked/camera/amplifiers.csv: line 7, column 'readout_corner': 'XX' is none of LL, LR, UR, UL"""
    cell(readout_corner="XX")


def test_pixels_without_size(change):
    """camera: obs_checked/camera/detectors.csv: line 3, column 'pixel_size_x': must be positive, mm"""
    change(f"{CAMERA}/detectors.csv", "\n0,ccd0,SCIENCE,128,32,144,32,0.015,", "\n0,ccd0,SCIENCE,128,32,144,32,0,")


def test_two_detectors_of_one_number(change):
    """camera: obs_checked/camera/detectors.csv: line 4, column 'id': '0' is on line 3 already"""
    change(f"{CAMERA}/detectors.csv", "\n1,ccd1", "\n0,ccd1")


def test_slip_in_a_key_of_the_camera(change):
    """camera: obs_checked/camera/camera.yaml: line 3: plate_scales: this key is unknown; did you mean 'plate_scale'?"""
    change(f"{CAMERA}/camera.yaml", "plate_scale:", "plate_scales:")


def test_missing_table(package, told):
    """camera: obs_checked/camera/amplifiers.csv: the file is missing; a camera folder needs it"""
    (package / CAMERA / "amplifiers.csv").unlink()
    told()


def test_setting_of_the_wrong_type(change):
    """config: obs_checked/config/process.yaml:4: isr.do_bias: expected true or false, got 'perhaps'"""
    change("obs_checked/config/process.yaml", "# isr:", "isr:\n  do_bias: perhaps\n# isr:")


def test_setting_that_does_not_exist(change):
    """config: obs_checked/config/process.yaml:4: isr.do_biass: there is no such setting; did you mean 'isr.do_bias'?"""
    change("obs_checked/config/process.yaml", "# isr:", "isr:\n  do_biass: true\n# isr:")


def test_setting_out_of_range(change):
    """config: obs_checked/config/simulate.yaml:6: sources.density: expected a number >= 0, got -300000.0"""
    change("obs_checked/config/simulate.yaml", "density: ", "density: -")


def test_settings_that_are_no_yaml(change):
    """config: obs_checked/config/process.yaml:9: invalid YAML: did not find expected node content"""
    change("obs_checked/config/process.yaml", "# isr:", "isr: [\n# isr:")


def test_filter_that_is_there_twice(change):
    """contract: obs_checked/__init__.py:14: the filter name 'g' belongs to 'g' and to 'g'; keep one"""
    change(INIT, 'physical_filter="r"', 'physical_filter="g"')


def test_filter_without_band(change):
    """filters: obs_checked/__init__.py:14: the filter 'r' has no band; give its name in reference catalogs"""
    change(INIT, 'band="r"', 'band=""')


def test_filter_that_is_none(change):
    """contract: obs_checked/__init__.py:14: filters holds 'r' (str); expected FilterDefinition"""
    change(INIT, 'FilterDefinition(physical_filter="r", band="r")', '"r"')


def test_exposure_id_of_too_many_bits(change):
    """contract: obs_checked/__init__.py:20: exposure_id_bits is 64; expected 1 to 48, the rest numbers
    sources
    """
    change(INIT, "exposure_id_bits=35", "exposure_id_bits=64")


def test_instrument_of_another_name(change):
    """contract: obs_checked/__init__.py:9: the entry point is called 'checked' but the Instrument 'other'; they must
    agree
    """
    change(INIT, '"checked",', '"other",')


def test_argument_that_is_missing(change):
    """code: obs_checked/__init__.py:9: TypeError: Instrument.__init__() missing 1 required keyword-only argument:
    'exposure_id_bits'
    """
    change(INIT, "    exposure_id_bits=35,\n", "")


def test_name_that_is_not_imported(change):
    """code: obs_checked/__init__.py:15: NameError: name 'FilterDefinition' is not defined"""
    change(INIT, "import FilterDefinition, ", "import FilterDefinition as F, ")


def test_translator_that_is_not_where_it_should_be(change):
    """translator: obs_checked/__init__.py:22: camera 'checked': cannot import
    'obs_checked.translator:CheckdTranslator': AttributeError: module 'obs_checked.translator' has no attribute
    'CheckdTranslator'
    """
    change(INIT, "translator:CheckedTranslator", "translator:CheckdTranslator")


def test_missing_translator(package, told):
    """translator: obs_checked/__init__.py:22: camera 'checked': cannot import
    'obs_checked.translator:CheckedTranslator': ModuleNotFoundError: No module named 'obs_checked.translator'
    """
    (package / TRANSLATOR).unlink()
    told()


def test_syntax_error_in_the_translator(change):
    """code: obs_checked/translator.py:LINE: invalid syntax: clas CheckedTranslator(RuleTranslator):"""
    change(TRANSLATOR, "class Checked", "clas Checked", at="clas Checked")


def test_translator_that_imports_what_is_not_there(change):
    """translator: obs_checked/translator.py:LINE: camera 'checked': cannot import
    'obs_checked.translator:CheckedTranslator': ModuleNotFoundError: No module named 'nothing_there'
    """
    change(TRANSLATOR, "from typing import Any", "import nothing_there", at="import nothing_there")


def test_translation_of_a_name_that_is_none(change):
    """translator: obs_checked/translator.py:LINE: camera 'checked': cannot import
    'obs_checked.translator:CheckedTranslator': TypeError: CheckedTranslator: 'exposure_tim' in translation is
    neither a column nor a field of VisitInfo; did you mean 'exposure_time'?
    """
    change(TRANSLATOR, '"exposure_time": [', '"exposure_tim": [', at="class Checked")


def test_unit_that_is_none(change):
    """translator: obs_checked/translator.py:LINE: camera 'checked': cannot import
    'obs_checked.translator:CheckedTranslator': TypeError: CheckedTranslator: 'exposure_time' has the unknown unit
    'xyz'
    """
    change(
        TRANSLATOR,
        '"exposure_time": [\n            ("EXPTIME", {"unit": "s"})',
        '"exposure_time": [\n            ("EXPTIME", {"unit": "xyz"})',
        at="class Checked",
    )


def test_detectors_of_one_number(change):
    """exposure id: obs_checked/exposure_id.py:7: detectors 'ccd0' and 'ccd1' of one exposure have the same number
    1; let the number depend on the detector
    """
    change("obs_checked/exposure_id.py", *as_function('data_id["visit"]'))


def test_exposure_id_of_a_key_that_is_none(change):
    """exposure id: obs_checked/exposure_id.py:7: the exposure id of checked needs the key 'night'"""
    change("obs_checked/exposure_id.py", *as_function('data_id["night"]'))


def test_exposure_id_of_more_bits_than_are_said(change):
    """exposure id: obs_checked/exposure_id.py: exposure_id needs 50 bits, exposure_id_bits is 35; make them agree"""
    change("obs_checked/exposure_id.py", "2**32", "2**47")


def test_exposure_id_that_does_not_fit_in_years_to_come(package):
    """Milliseconds since 1980 fit in 40 bits until 2014."""
    edit(package / TRANSLATOR, '        "visit": "EXPNUM",\n', "")
    edit(package / TRANSLATOR, "    def translate_dateObs", VISIT_OF_DATE + "    def translate_dateObs")
    edit(
        package / TRANSLATOR,
        "from typing import Any",
        "from datetime import datetime, timedelta\nfrom typing import Any",
    )
    edit(package / "obs_checked/exposure_id.py", "2**32", "2**42")
    edit(package / INIT, "bits=35", "bits=45")
    assert messages(package) == []
    edit(package / "obs_checked/exposure_id.py", "2**42", "2**40")
    edit(package / INIT, "bits=45", "bits=43")
    (message,) = messages(package)
    assert re.search(r"exposure_id.py: a frame of 20\d\d-.*: visit=\d+ is not from 0 to 1099511627775$", message)


def test_entry_point_of_no_package(change):
    """entry point: pyproject.toml:20: checked = 'obs_checkd:instrument': there is no package obs_checkd; did you mean
    'obs_checked'?
    """
    change("pyproject.toml", "obs_checked:instrument", "obs_checkd:instrument")


def test_entry_point_of_no_instrument(change):
    """entry point: pyproject.toml:20: checked = 'obs_checked:instrumnt': obs_checked has no 'instrumnt'; did you mean
    'instrument'?
    """
    change("pyproject.toml", "obs_checked:instrument", "obs_checked:instrumnt")


def test_entry_point_without_a_name(change):
    """entry point: pyproject.toml:20: checked = 'obs_checked' should be 'obs_checked:instrument', the package and the
    name of the Instrument in it
    """
    change("pyproject.toml", "obs_checked:instrument", "obs_checked")


def test_project_without_a_camera(change):
    """entry point: pyproject.toml: no camera is declared; add [project.entry-points."obs.cameras"] with NAME =
    "obs_NAME:instrument"
    """
    change("pyproject.toml", "obs.cameras", "obs.kameras")


def test_project_that_is_no_toml(change):
    """entry point: pyproject.toml: Expected ']' at the end of a table declaration (at line 5, column 9)"""
    change("pyproject.toml", "[project]", "[project")


def test_everything_that_is_wrong_is_told_at_once(package):
    edit(package / POLICY, "    template: raw/", "    templat: raw/")
    edit(package / POLICY, "needCalibRegistry: true", "needCalibRegistry: maybe")
    edit(package / CAMERA / "detectors.csv", "0.015,0.015,-1.71", "0.015,0,-1.71")
    edit(package / CAMERA / "detectors.csv", "0.015,0.015,1.71", "0,0.015,1.71")
    edit(package / CAMERA / "amplifiers.csv", "ccd0,amp1,0,0,0,64", "ccd0,amp1,0,0,0,many")
    settings = package / "obs_checked/config/process.yaml"
    settings.write_text("isr:\n  do_biass: true\n  do_dark: 7\ncalibrate:\n  detectoin: {}\n  measurement: 3\n")
    found = "\n".join(messages(package))
    for place in (
        "policy/checked.yaml:13: exposures.raw.templat: unknown key",
        "policy/checked.yaml:3: needCalibRegistry: expected true or false",
        "amplifiers.csv: line 4, column 'bbox_width': 'many' is not a whole number",
        "detectors.csv: line 4, column 'pixel_size_x'",
        "process.yaml:2: isr.do_biass",
        "process.yaml:3: isr.do_dark: expected true or false, got 7",
        "process.yaml:5: calibrate.detectoin",
        "process.yaml:6: calibrate.measurement",
    ):
        assert place in found, (place, found)


def test_settings_of_no_task_are_told(package):
    (package / "obs_checked" / "config" / "proces.yaml").write_text("isr: {}\n")
    assert any("no command reads this file; call it process.yaml, calibs.yaml" in text for text in messages(package))


def test_settings_of_every_task_are_read_as_its_command_reads_them(package):
    folder = package / "obs_checked" / "config"
    folder.mkdir(exist_ok=True)
    right = {
        "process": "isr: {doDark: false}\ncalibrate: {photometry: {colour_terms: {}}}\n",
        "calibs": "isr: {doSaturation: true}\ncombine: {clip: 4.0}\n",
        "coadd": "zero_point: 25.0\n",
        "coaddCatalog": "calibrate: {detection: {thresholdValue: 6.0}}\n",
        "calibrateVisits": "{}\n",
        "forced": "apertures: [2.0, 5.0]\n",
        "difference": "{}\n",
        "simulate": "cosmic_rays: {ionisation: 5000.0}\n",
        "gates": "gates: {}\n",
    }
    for name, text in right.items():
        (folder / f"{name}.yaml").write_text(text)
    assert not [text for text in messages(package) if "config" in text]
    (folder / "forced.yaml").write_text("apertures: [2.0, -5.0]\n")
    (folder / "gates.yaml").write_text("gtes: {}\n")
    found = " ".join(messages(package))
    assert "forced.yaml:1: apertures" in found
    assert "gates.yaml:1: unknown key 'gtes'" in found


def test_what_is_no_package(tmp_path):
    with pytest.raises(PluginError, match="is not a package of a camera"):
        check_package(str(tmp_path))
    with pytest.raises(PluginError, match="no camera 'nothing_here' is installed"):
        check_package("nothing_here")


def test_the_command_counts_and_exits(package, capsys):
    assert main(["check", str(package)]) == 0
    assert "0 problems" in capsys.readouterr().out
    edit(package / "obs_checked" / "translator.py", "class Checked", "clas Checked")
    assert main(["check", str(package)]) == 1
    captured = capsys.readouterr()
    assert "1 problem" in captured.out
    assert re.search(r"translator.py:\d+: invalid syntax", captured.err)
    assert "Traceback" not in captured.err


def test_a_folder_that_exists_is_left_alone(sound):
    with pytest.raises(OutputError, match="exists already"):
        create_package(Answers(camera="checked"), sound.parent)


def test_a_name_that_is_taken_is_refused(tmp_path):
    with pytest.raises(PluginError, match="the name 'sdss' is taken by the camera of"):
        create_package(Answers(camera="sdss"), tmp_path)


def test_template_has_a_question_for_each_answer():
    text = (project_template() / "cookiecutter.json").read_text()
    assert all(f'"{name}"' in text for name in Answers(camera="toy").as_context())


def test_a_camera_with_one_detector_needs_no_key_for_it(tmp_path):
    answers = Answers(camera="solo", detectors="1", amplifiers="1", width="64", height="32", overscan="8")
    package = create_package(answers, tmp_path) / "obs_solo"
    edit(package / "__init__.py", 'detector="%(ccd)d"', 'detector="0"')
    edit(package / "policy/solo.yaml", "-%(ccd)03d", "")
    edit(package / "policy/solo.yaml", ", ccd]", "]")
    edit(package / "policy/solo.yaml", "[ccd]", "[]")
    edit(package / "exposure_id.py", ', Digit("ccd", 4)', "")
    edit(package / "translator.py", '"ccd": detector.id, ', "")
    edit(package / "translator.py", '("visit", "ccd")', '("visit",)')
    text = (package / "translator.py").read_text()
    (package / "translator.py").write_text(re.sub(r'^ +"ccd": .*\n', "", text, flags=re.MULTILINE))
    assert messages(package.parent) == []
