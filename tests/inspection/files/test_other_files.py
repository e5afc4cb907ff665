"""What one file says and others contradict is not certain."""

import pytest

from obs.inspection.files.other_files import compare_with_files
from obs.inspection.finding import Finding
from obs.inspection.inspect import inspect_files
from raw_frames import card_line

COMMON = [("SIMPLE", True), ("BITPIX", 16), ("NAXIS", 2), ("NAXIS1", 80), ("NAXIS2", 64), ("INSTRUME", "Cam 7")]
PER_ADU, PER_PIXEL = "electrons per ADU", "arcsec/pixel"
WCS = [("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CD1_1", -0.9 / 3600), ("CD2_2", 0.9 / 3600)]


@pytest.mark.parametrize(
    ("quantity", "odd"),
    [
        ("gain of amplifier 1", [("GAIN", 2.8, PER_ADU), ("PIXSCALE", 0.5, PER_PIXEL)]),
        ("pixel_scale", [("GAIN", 1.4, PER_ADU), ("PIXSCALE", 0.9, PER_PIXEL), *WCS]),
    ],
)
@pytest.mark.parametrize("number", [0, 2])
def test_what_others_contradict_is_not_certain(tmp_path, quantity, odd, number):
    paths = [tmp_path / f"f{n}.hdr" for n in range(3)]
    for n, path in enumerate(paths):
        cards = odd if n == number else [("GAIN", 1.4, PER_ADU), ("PIXSCALE", 0.5, PER_PIXEL)]
        dated = [*COMMON, ("DATE-OBS", f"2026-05-01T03:0{n}:00"), ("EXPTIME", 60.0), *cards]
        path.write_text("\n".join(card_line(*card) for card in dated) + "\nEND\n")
    finding = inspect_files(paths)[quantity]
    assert finding.confidence in ("likely", "guess")
    assert f"f{2 if finding.value == 1.4 else 0 if number else 1}.hdr" in finding.note


@pytest.mark.parametrize(
    ("others", "confidence"),
    [((), "certain"), ((1.43, 1.4), "certain"), ((1.4, 2.8), "likely"), ((2.8,), "guess"), ((2.8, 2.8, 1.4), "guess")],
)
def test_as_sure_as_other_files_let_it_be(others, confidence):
    found = Finding("gain", 1.4, "GAIN")
    assert compare_with_files(found, 1.4, [(f"f{n}", value) for n, value in enumerate(others)]).confidence == confidence
