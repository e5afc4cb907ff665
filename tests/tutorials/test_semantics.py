"""Every rule of the stack on data access, arguments and processing has a test, or a reason not to have one."""

import re
from pathlib import Path

import pytest
from semantics import CLAUSES, RULES

from obs.instrument.discovery import load_instrument
from obs.instrument.settings import camera_settings
from obs.tasks.process_config import ProcessConfig

ROOT = Path(__file__).parents[2]


def read_rules(text):
    """Yield sections with the first cells of their tables, and sections that have none."""
    for section in re.split(r"^##+ (?=[456]\.)", text, flags=re.MULTILINE)[1:]:
        number = re.match(r"[456](\.\d)?", section)[0]
        body = re.split(r"^## ", section, flags=re.MULTILINE)[0]
        cells = re.findall(r"^\| (.+?) \|(?= )", body, flags=re.MULTILINE)
        heads = re.findall(r"^\| (.+?) \|.*\n\|---", body, flags=re.MULTILINE)
        rules = [cell for cell in cells if cell not in heads]
        yield from (f"{number} {cell}" for cell in rules)
        if not rules and len(number) > 1:
            yield number


def test_every_rule_has_a_test_or_a_reason(shared_data):
    found = set(read_rules((shared_data.parent / "SEMANTICS.md").read_text()))
    assert len(found) > 70
    assert sorted(found - set(RULES)) == []
    assert sorted(set(RULES) - found) == []


def read_parts(text):
    """Return sections 4 and 5 and the parts of section 6 by their numbers."""
    section = text[text.index("## 4. ") : text.index("## 7. ")]
    parts = re.split(r"^##+ (?=[456]\.)", section, flags=re.MULTILINE)[1:]
    return {re.match(r"\d(\.\d)?", part)[0]: part for part in parts}


def test_every_sentence_has_a_test_or_a_reason(shared_data):
    parts = read_parts((shared_data.parent / "SEMANTICS.md").read_text())
    assert parts.keys() == CLAUSES.keys()
    assert [words for number, clauses in CLAUSES.items() for words in clauses if words not in parts[number]] == []


PLACES = {
    **RULES,
    **{f"{number} {words}": place for number, clauses in CLAUSES.items() for words, place in clauses.items()},
}


@pytest.mark.parametrize("rule", PLACES)
def test_the_tests_are_there(rule):
    place = PLACES[rule]
    if place.startswith("("):
        assert len(place.split()) > 4
        return
    path, _, name = place.partition("::")
    assert re.search(
        rf"^def {name or 'test_'}\(" if name else "^def test_", (ROOT / path).read_text(), flags=re.MULTILINE
    )


def _settings(camera):
    return camera_settings(load_instrument(camera), "process", ProcessConfig).build()


def test_what_is_not_written():
    for camera in ("hsc", "sdss", "necam"):
        config = _settings(camera)
        assert (config.isr.write, config.characterize.write_exposure, config.calibrate.write) == (False, False, True)


def test_numbers_of_the_settings():
    first, second = _settings("hsc").characterize, _settings("hsc").calibrate
    assert (first.detection.threshold, first.detection.include_threshold_factor, first.detection.grow) == (5, 10, 2.4)
    assert (second.detection.threshold, second.detection.include_threshold_factor) == (5, 1)
    assert (first.psf_iterations, first.deblend.enabled, second.deblend.enabled) == (2, False, True)
    assert (first.background.bin_size, first.background.order, first.cosmic_rays.n_iteration) == (128, 6, 3)
    assert (second.photometry.sigma_max, second.photometry.clip, second.flag_match_radius) == (0.25, 3, 3)
    config = _settings("sdss")
    assert not config.characterize.measure_psf
    assert not config.characterize.cosmic_rays.enabled
    assert config.calibrate.astrometry.force_known_wcs
    for step in (config.characterize, config.calibrate):
        assert (step.background.bin_size, step.measurement.reference_aperture) == (512, 7.0)
