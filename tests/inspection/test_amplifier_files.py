"""Files of one exposure that hold an amplifier each."""

import numpy as np
import pytest
from astropy.io import fits

from obs.inspection.amplifier_files import find_amplifier_files
from obs.inspection.inspect import inspect_files
from obs.inspection.raw_file import read_raw_file
from obs.inspection.whole_files import whole_files
from obs.instrument.amplifier_files import AmplifierFiles
from obs.instrument.header import FILE_NAME

NY, NX = 12, 10


def write(folder, name, exposure, cards):
    header = fits.Header(
        [
            ("INSTRUME", "quadcam"),
            ("EXPNUM", 40 + exposure),
            ("DATE-OBS", f"2026-11-20T21:0{exposure}:00.0"),
            ("EXPTIME", 30.0),
            ("IMAGETYP", "object"),
            ("FILTER", "r"),
            *cards,
        ]
    )
    path = folder / name
    fits.PrimaryHDU(np.full((NY, NX), 100, np.uint16), header).writeto(path)
    return path


def place(column, row=0):
    return f"[{column * NX + 1}:{(column + 1) * NX},{row * NY + 1}:{(row + 1) * NY}]"


def night(folder, parts, exposures=(1, 2)):
    """Write a file for each exposure and each of the parts: name to cards."""
    return [
        write(folder, f"q{exposure:03d}-{name}.fits", exposure, cards)
        for exposure in exposures
        for name, cards in parts
    ]


KINDS = {
    "named": ([("x", [("AMPNAME", "R")]), ("y", [("AMPNAME", "L")])], AmplifierFiles("AMPNAME", ("L", "R"))),
    "named and placed": (
        [("x", [("AMPID", 2), ("CCDSEC", place(0))]), ("y", [("AMPID", 1), ("CCDSEC", place(1))])],
        AmplifierFiles("AMPID", ("2", "1")),
    ),
    "places alone": (
        [(f"a{n}", [("DETSEC", place(n % 2, n // 2))]) for n in range(4)],
        AmplifierFiles(FILE_NAME, ("a0", "a1", "a2", "a3"), 1),
    ),
    "a card of any name": (
        [(str(n), [("CCDSEC", place(n)), ("OUTNODE", f"E{n}")]) for n in range(2)],
        AmplifierFiles("OUTNODE", ("E0", "E1")),
    ),
    "of two chips": (
        [
            (f"{chip}{amp}", [("CCDNAME", chip), ("AMPID", amp), ("CCDSEC", place(amp))])
            for chip in ("N", "S")
            for amp in (0, 1)
        ],
        AmplifierFiles("AMPID", ("0", "1")),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_amplifiers_are_told_apart_and_put_together(tmp_path, kind):
    parts, wanted = KINDS[kind]
    paths = night(tmp_path, parts)
    rule, groups = find_amplifier_files([read_raw_file(path) for path in paths])
    assert rule == wanted
    chips = 2 if kind == "of two chips" else 1
    assert len(groups) == 2 * chips
    with whole_files(paths) as (files, _):
        findings = inspect_files(files, rule)
        with fits.open(files[0]) as hdus:
            assert [hdu.shape for hdu in hdus[1:]] == [(NY, NX)] * len(wanted.names)
            assert hdus[1].data.dtype == np.uint16
            assert hdus[0].header["EXPTIME"] == 30.0
    assert findings.layout == "amplifiers"
    assert len(findings.detectors) == chips
    assert len(findings.detectors[0].facts.amplifiers) == len(wanted.names)
    assert not files[0].exists()


@pytest.mark.parametrize(
    "parts",
    [
        [(str(n), [("CHIP", n), ("DETSEC", place(n))]) for n in range(2)],
        [(str(n), [("CCDNUM", n)]) for n in range(3)],
        [(str(n), [("OPAMP", n)]) for n in range(1, 5)],
        [("a", [("AMPNAME", "A")])],
    ],
    ids=["detectors side by side", "detectors without places", "quadrants without places", "an exposure a file"],
)
def test_detectors_are_not_put_together(tmp_path, parts):
    assert find_amplifier_files([read_raw_file(path) for path in night(tmp_path, parts)]) is None


def test_sections_that_all_amplifiers_share_hold_for_each(tmp_path):
    sections = [("DATASEC", f"[3:8,1:{NY}]"), ("BIASSEC", f"[9:{NX},1:{NY}]")]
    places = (f"[1:6,1:{NY}]", f"[12:7,1:{NY}]")
    parts = [(f"a{n}", [("AMPID", n), ("DETSEC", places[n]), *sections]) for n in (0, 1)]
    with whole_files(night(tmp_path, parts)) as (files, rule):
        findings = inspect_files(files, rule)
    for amp in findings.detectors[0].facts.amplifiers:
        assert (amp.findings["data"].value.to_section(), amp.findings["data"].source) == (f"[3:8,1:{NY}]", "DATASEC")
